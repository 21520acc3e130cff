// Asks EligibilityService.Check over Node's own HTTP/2: node honest.js ADDRESS, as the daemon writes it: unix:/path or host:port.
// Each line of input is a request in base64, each line of output the answer in base64. It ends with 0 at the end of its input, and with 1
// as soon as a call fails or the connection ends.
"use strict";

const http2 = require("http2");
const net = require("net");
const readline = require("readline");

const address = process.argv[2];
const path = address.startsWith("unix:") ? address.slice(5) : null;
const session = path === null ? http2.connect(`http://${address}`)
                              : http2.connect("http://localhost", { createConnection: () => net.connect(path) });
let ended = false;

function fail(why) {
  if (ended) return;
  console.error(`node: ${why}`);
  process.exit(1);
}

function ask(message) {
  const length = Buffer.alloc(5);  // 0: not compressed
  length.writeUInt32BE(message.length, 1);
  const call = session.request({
    ":method": "POST", ":path": "/consent.v1.EligibilityService/Check", "content-type": "application/grpc", te: "trailers",
  });
  const parts = [];
  let status;
  call.on("response", (headers) => { status = headers["grpc-status"]; });
  call.on("trailers", (headers) => { status = headers["grpc-status"]; });
  call.on("data", (part) => parts.push(part));
  call.on("error", (error) => fail(error.message));
  call.setTimeout(60000, () => fail("no answer"));
  call.on("close", () => (status === "0" ? console.log(Buffer.concat(parts).subarray(5).toString("base64")) : fail(`status ${status}`)));
  call.end(Buffer.concat([length, message]));
}

session.on("error", (error) => fail(error.message));
session.on("goaway", () => fail("told to go away"));
session.on("close", () => fail("the connection ended"));
readline.createInterface({ input: process.stdin })
  .on("line", (line) => ask(Buffer.from(line, "base64")))
  .on("close", () => {
    ended = true;
    session.close();
  });
