"use strict";
// A settings page: what the user chose, in the user's language, and a button that turns it on or off. Node's own HTTP server, no framework.
//
//   PAGE_ACCOUNT=george PAGE_PORT=8080 node examples/page.js
//
// Who is signed in, and as which profile, is the app's matter; here it is the account in PAGE_ACCOUNT and its one adult. Where the daemon is and which
// certificate to show comes from CONSENT_ENDPOINT, CONSENT_CA, CONSENT_CERT and CONSENT_KEY; the role is BACKEND. PAGE_PORT=0 takes any free port;
// the address is printed. It listens on this machine alone.

const { randomUUID } = require("node:crypto");
const http = require("node:http");
const { NoAnswer, connect, errorOf } = require("..");
const { pageOf } = require("./render");
const { wordsOf } = require("./words");

const MAX_BODY_BYTES = 4096;
const account_id = process.env.PAGE_ACCOUNT ?? "";
const client = connect();

/** The first language that the browser asks for. @param {http.IncomingMessage} request */
function languageOf(request) {
  const first = (request.headers["accept-language"] ?? "").split(",")[0].split(";")[0].trim();
  return /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(first) && first.length <= 35 ? first : "en";
}

/** A browser says which page a form comes from; another site's must not turn anything. @param {http.IncomingMessage} request */
function isOwnForm(request) {
  const { origin, host } = request.headers;
  return origin === undefined || origin === `http://${host}`;
}

/** @param {http.IncomingMessage} request @returns {Promise<URLSearchParams>} */
async function formOf(request) {
  let body = "";
  for await (const part of request.setEncoding("utf8")) {
    body += part;
    if (body.length > MAX_BODY_BYTES) throw new RangeError("the form is too long");
  }
  return new URLSearchParams(body);
}

/** The profile of the one adult of the account: the app would know who is signed in. */
async function ownProfile() {
  const { profiles } = await client.subjects.getSubject({ account_id });
  const adults = profiles.filter((profile) => profile.age?.adult);
  return adults.length === 1 ? adults[0].profile_id : "";
}

/** What was refused of a reply, in the daemon's words. @param {{applied: boolean, refused_message: string}[]} results */
const refusedOf = (results) => results.filter((part) => !part.applied).map((part) => part.refused_message).join("; ");

/** @param {URLSearchParams} form @returns {Promise<string>} what has to be told */
async function turn(form, words) {
  const control = form.get("control") ?? "";
  const request_id = randomUUID();
  let results;
  if (form.get("turn") === "on") {
    // The etag is that of the page that was looked at, and the notice the one that was shown on it: neither is read again here.
    ({ results } = await client.settings.updateSettings({
      account_id, etag: form.get("etag") ?? "", request_id, self_profile_id: await ownProfile(), changes: [{ target: { control }, turn: "SWITCH_ON" }],
      evidence: { notice_version: form.get("notice") ?? "", notice_language: form.get("language") ?? "", channel: "CHANNEL_WEB", actor: "ACTOR_SELF" },
    }));
  } else {
    // A no needs nothing that might be missing.
    ({ results } = await client.settings.optOut({
      account_id, request_id, targets: [{ control }], evidence: { channel: "CHANNEL_WEB", actor: "ACTOR_SELF" },
    }));
  }
  const refused = refusedOf(results);
  return refused ? words.stillRefused(refused) : "";
}

/** @param {http.ServerResponse} response @param {number} status @param {string} html */
function answer(response, status, html) {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8", "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  }).end(html);
}

async function show(request, response, status, said) {
  const language = languageOf(request);
  answer(response, status, pageOf(await client.settings.getSettings({ account_id, language }), language, said));
}

/** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
async function serve(request, response) {
  const words = wordsOf(languageOf(request));
  if (request.method === "GET" && request.url === "/") return show(request, response, 200, "");
  if (request.method !== "POST" || request.url !== "/turn") return answer(response, 404, "");
  if (!isOwnForm(request)) return answer(response, 403, "");
  let said;
  try {
    said = await turn(await formOf(request), words);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return answer(response, 400, "");
    const { code, reason } = errorOf(error);
    console.error(`page: ${reason || code}`); // no id, and nothing of the form
    return show(request, response, code === "ABORTED" ? 409 : 502, code === "ABORTED" ? words.changed : words.notSaved);
  }
  if (said) return show(request, response, 200, said);
  return response.writeHead(303, { location: "/" }).end();
}

const server = http.createServer((request, response) => {
  serve(request, response).catch((error) => {
    console.error(`page: ${error instanceof NoAnswer ? error.message : errorOf(error).reason || errorOf(error).code}`);
    if (!response.headersSent) answer(response, 502, "");
    else response.destroy();
  });
});
server.requestTimeout = 10_000;
server.listen(Number(process.env.PAGE_PORT ?? 8080), "127.0.0.1", () => {
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`http://127.0.0.1:${address.port}/`);
});
process.on("SIGTERM", () => {
  server.close();
  client.close();
});
