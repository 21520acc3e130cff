"use strict";
// The npm package consent-client before a server that answers what a script says. TEST_NODE_CLIENT: the package's folder; TEST_ROOT: the repository.

const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");

const FOLDER = process.env.TEST_NODE_CLIENT;
const grpc = require(require.resolve("@grpc/grpc-js", { paths: [FOLDER] }));
const protobuf = require(require.resolve("protobufjs", { paths: [FOLDER] }));
const { Answer, NoAnswer, connect, errorOf, timestampOf } = require(FOLDER);
const endpoints = require(path.join(FOLDER, "lib/endpoint.js"));
const { methodsOf } = require(path.join(FOLDER, "lib/messages.js"));

const CHECKED_AT = 1_700_000_000; // seconds
const REVIEW = "PURPOSE_HUMAN_REVIEW";
const RECORDING = { recording_id: "r", account_id: "a" };
const QUESTION = { purpose: REVIEW };
let client, server, script, now, seen;

function definitionOf(service) {
  return Object.fromEntries(methodsOf(service).map((method) => [method.name, {
    path: method.path, requestStream: false, responseStream: false,
    requestSerialize: (value) => Buffer.from(method.request.encode(method.request.fromObject(value)).finish()),
    requestDeserialize: (bytes) => method.request.toObject(method.request.decode(bytes), { enums: String, longs: String }),
    responseSerialize: (value) => Buffer.from(method.response.encode(method.response.fromObject(value)).finish()),
    responseDeserialize: (bytes) => method.response.decode(bytes),
  }]));
}

const answerAs = (call, callback) => {
  seen.push(call.request);
  script(call, callback);
};

before(async () => {
  server = new grpc.Server();
  server.addService(definitionOf("EligibilityService"), { Check: answerAs, BatchCheck: answerAs });
  const port = await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  client = connect({ endpoint: `127.0.0.1:${port}`, stopWatch: () => { const start = now; return () => now - start; } });
});
after(() => {
  client.close();
  server.forceShutdown();
});
test.beforeEach(() => {
  now = 0;
  seen = [];
});

function decision({ eligibility = "ELIGIBILITY_ELIGIBLE", disposition = "DISPOSITION_KEEP", reasons = ["REASON_CONSENT"], lifeMs = 1000 } = {}) {
  return { eligibility, disposition, reasons, good_until_us: CHECKED_AT * 1e6 + lifeMs * 1000 };
}

const checkedAt = { seconds: CHECKED_AT, nanos: 0 };
const replying = (reply) => (_, callback) => callback(null, reply);

async function check(given, checked_at = checkedAt) {
  script = replying({ decision: given, checked_at });
  return client.check(RECORDING, QUESTION);
}

function detailsOf(code, message, ...details) {
  const type = protobuf.parse(`syntax = "proto3"; message Any { string type_url = 1; bytes value = 2; }
    message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
    message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
    message Violation { string field = 1; string description = 2; } message BadRequest { repeated Violation field_violations = 1; }
    message Duration { int64 seconds = 1; int32 nanos = 2; } message RetryInfo { Duration retry_delay = 1; }`, { keepCase: true }).root;
  const packed = details.map(([name, value]) => {
    const of = type.lookupType(name);
    return { type_url: `type.googleapis.com/google.rpc.${name}`, value: of.encode(of.fromObject(value)).finish() };
  });
  const status = type.lookupType("Status");
  return Buffer.from(status.encode(status.fromObject({ code, message, details: packed })).finish());
}

function failing(code, bytes) {
  return (_, callback) => {
    const metadata = new grpc.Metadata();
    if (bytes) metadata.set("grpc-status-details-bin", bytes);
    callback({ code, details: "as the script says", metadata });
  };
}

test("a yes is one for the purpose that was asked, and no other", async () => {
  const answer = await check(decision());
  assert.equal(answer.mayUse(REVIEW), true);
  assert.equal(answer.mayUse("PURPOSE_MODEL_TRAINING"), false);
  assert.equal(answer.mayUse("PURPOSE_UNSPECIFIED"), false);
  assert.equal(answer.mayUse(undefined), false);
  assert.deepEqual(answer.reasonNames(), ["CONSENT"]);
});

test("whatever is not a whole yes is a no", () => {
  const eligibilities = ["ELIGIBILITY_UNSPECIFIED", "ELIGIBILITY_NOT_ELIGIBLE", "ELIGIBILITY_ELIGIBLE", 99];
  const dispositions = ["DISPOSITION_UNSPECIFIED", "DISPOSITION_KEEP", "DISPOSITION_PURGE", "DISPOSITION_HOLD", 99];
  const reasonLists = [[], ["REASON_CONSENT"], ["REASON_DEFAULT"], ["REASON_REFUSED"], ["REASON_UNSPECIFIED"], [99], ["REASON_CONSENT", "REASON_REFUSED"]];
  for (const eligibility of eligibilities) {
    for (const disposition of dispositions) {
      for (const reasons of reasonLists) {
        const answer = new Answer(REVIEW, decision({ eligibility, disposition, reasons }), { policy_version: "", policy_hash: Buffer.of(), checked_at: checkedAt }, () => 0);
        const expected = eligibility === "ELIGIBILITY_ELIGIBLE" && disposition === "DISPOSITION_KEEP" && ["REASON_CONSENT", "REASON_DEFAULT"].includes(reasons[0]) && reasons.length === 1;
        assert.equal(answer.mayUse(REVIEW), expected, JSON.stringify({ eligibility, disposition, reasons }));
        assert.equal(answer.mustPurge(), disposition === "DISPOSITION_PURGE");
      }
    }
  }
});

test("an answer is no value of its own, and nobody can change it", async () => {
  const answer = await check(decision({ eligibility: "ELIGIBILITY_NOT_ELIGIBLE", reasons: ["REASON_REFUSED"] }));
  assert.throws(() => answer == true, TypeError);
  assert.throws(() => `${answer}`, TypeError);
  assert.throws(() => answer + 1, TypeError);
  assert.throws(() => { answer.eligibility = "ELIGIBILITY_ELIGIBLE"; }, TypeError);
  assert.throws(() => answer.reasons.push("REASON_CONSENT"), TypeError);
});

test("a yes ends with its life, counted from sending", async () => {
  script = (_, callback) => {
    now += 400; // on its way
    callback(null, { decision: decision(), checked_at: checkedAt });
  };
  const answer = await client.check(RECORDING, QUESTION);
  now = 999.9;
  assert.equal(answer.mayUse(REVIEW), true);
  now = 1000;
  assert.equal(answer.mayUse(REVIEW), false);
  assert.equal(answer.eligibility, "ELIGIBILITY_ELIGIBLE");
});

test("no life, and too long a life", async () => {
  for (const lifeMs of [0, -1]) assert.equal((await check(decision({ lifeMs }))).mayUse(REVIEW), false);
  assert.equal((await check(decision(), null)).mayUse(REVIEW), false);
  const years = await check(decision({ lifeMs: 1e12 }));
  now = 24 * 3600 * 1000 - 1;
  assert.equal(years.mayUse(REVIEW), true);
  now += 1;
  assert.equal(years.mayUse(REVIEW), false);
});

test("a reply without a decision, and a batch that is short or long, are no answer", async () => {
  script = replying({ checked_at: checkedAt });
  await assert.rejects(client.check(RECORDING, QUESTION), NoAnswer);
  for (const count of [0, 1, 3]) {
    script = replying({ results: Array(count).fill({ decision: decision() }), checked_at: checkedAt });
    await assert.rejects(client.eligible([RECORDING, RECORDING], QUESTION), NoAnswer);
  }
});

test("each of a batch has its answer, and only a yes is let through", async () => {
  const names = ["yes", "no", "error", "nothing"].map((recording_id) => ({ recording_id, account_id: "a" }));
  script = replying({ checked_at: checkedAt, results: [{ decision: decision() },
    { decision: decision({ eligibility: "ELIGIBILITY_NOT_ELIGIBLE", reasons: ["REASON_REFUSED"] }) }, { error: { reason: "INVALID_FIELD", message: "m" } }, {}] });
  const answers = await client.batchCheck(names, QUESTION);
  assert.deepEqual(answers.map((answer) => answer.mayUse(REVIEW)), [true, false, false, false]);
  assert.deepEqual(answers.map((answer) => answer.error?.reason), [undefined, undefined, "INVALID_FIELD", "INTERNAL"]);
  assert.deepEqual(await client.eligible(names, QUESTION), [names[0]]);
});

test("a batch that fails cannot be overlooked", async () => {
  script = failing(grpc.status.INTERNAL);
  await assert.rejects(client.eligible([RECORDING], QUESTION), (error) => errorOf(error).code === "INTERNAL");
  for (const count of [0, 1001]) await assert.rejects(client.eligible(Array(count).fill(RECORDING), QUESTION), /1 to 1,000/);
});

test("what is misspelt is not sent", async () => {
  script = replying({ decision: decision(), checked_at: checkedAt });
  const wrong = [[{ ...RECORDING, flag: ["FLAG_SAFETY"] }, QUESTION, /recording\.flag is no field/], [{ ...RECORDING, flags: ["SAFTY"] }, QUESTION, /recording\.flags\[0\] must be one of/],
    [{ ...RECORDING, flags: "FLAG_SAFETY" }, QUESTION, /recording\.flags must be an array/], [RECORDING, { purpose: "HUMAN_REVIEW" }, /purpose must be one of/],
    [RECORDING, { ...QUESTION, places: {} }, /places is no field/], [{ ...RECORDING, account_id: 7 }, QUESTION, /account_id must be a string/],
    [{ ...RECORDING, wake: 77 }, QUESTION, /wake must be one of/], [RECORDING, { ...QUESTION, place: "DE" }, /place must be a plain object/], [{ ...RECORDING, captured_at: new Date() }, QUESTION, /captured_at must be a plain object/],
    [{ ...RECORDING, constructor: 1 }, QUESTION, /constructor is no field/]];
  for (const [recording, question, message] of wrong) {
    await assert.rejects(client.check(recording, question), (error) => {
      assert.ok(error instanceof TypeError, error);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /SAFTY|77/);
      return true;
    });
  }
  assert.deepEqual(seen, []);
  await client.check({ ...RECORDING, flags: ["FLAG_SAFETY"], captured_at: { seconds: 1593620396 }, profile_ids: ["p"] }, { ...QUESTION, place: { country: "DE" }, full: true });
  assert.deepEqual(JSON.parse(JSON.stringify(seen[0])), { recording: { recording_id: "r", account_id: "a", captured_at: { seconds: "1593620396" }, profile_ids: ["p"], flags: ["FLAG_SAFETY"] },
    purpose: REVIEW, place: { country: "DE" }, view: "DECISION_VIEW_FULL" });
});

test("the service config repeats what may be repeated", async () => {
  let endings = 2;
  script = (_, callback) => (endings-- > 0 ? callback({ code: grpc.status.UNAVAILABLE, details: "not now" }) : callback(null, { decision: decision(), checked_at: checkedAt }));
  assert.equal((await client.check(RECORDING, QUESTION)).mayUse(REVIEW), true);
  assert.equal(seen.length, 3);
  seen = [];
  script = failing(grpc.status.ABORTED);
  await assert.rejects(client.check(RECORDING, QUESTION));
  assert.equal(seen.length, 1);
});

test("a date as a timestamp", () => {
  assert.deepEqual(timestampOf(new Date("2020-07-01T16:19:56.789Z")), { seconds: "1593620396", nanos: 789_000_000 });
  assert.deepEqual(timestampOf(new Date(-1)), { seconds: "-1", nanos: 999_000_000 });
  assert.throws(() => timestampOf(new Date("never")), RangeError);
});

test("a call ends at its deadline", async () => {
  script = () => {};
  const started = Date.now();
  await assert.rejects(client.check(RECORDING, QUESTION, { timeoutMs: 50 }), (error) => errorOf(error).code === "DEADLINE_EXCEEDED");
  assert.ok(Date.now() - started < 5000, "the service config's ten seconds are not what ended it");
});

test("what an error says", async () => {
  script = failing(grpc.status.INVALID_ARGUMENT, detailsOf(3, "m", ["ErrorInfo", { reason: "BATCH_TOO_LARGE", domain: "consent.v1", metadata: { limit: "1000" } }],
    ["BadRequest", { field_violations: [{ field: "recordings", description: "at most" }] }], ["RetryInfo", { retry_delay: { seconds: 1, nanos: 5e8 } }]));
  const told = await client.check(RECORDING, QUESTION).catch(errorOf);
  assert.deepEqual(told, { code: "INVALID_ARGUMENT", message: "as the script says", reason: "BATCH_TOO_LARGE", metadata: { limit: "1000" }, fields: { recordings: "at most" }, retryAfterMs: 1500 });
  script = failing(grpc.status.INTERNAL, detailsOf(13, "m", ["ErrorInfo", { reason: "ELSE", domain: "example.com" }]));
  assert.equal((await client.check(RECORDING, QUESTION).catch(errorOf)).reason, "");
  script = failing(grpc.status.INTERNAL, Buffer.from([255, 255]));
  assert.deepEqual(await client.check(RECORDING, QUESTION).catch(errorOf), { code: "INTERNAL", message: "as the script says", reason: "", metadata: {}, fields: {}, retryAfterMs: undefined });
  assert.equal(errorOf(undefined).code, "UNKNOWN");
});

test("the endpoints of all languages", () => {
  for (const [endpoint, tls, target] of JSON.parse(fs.readFileSync(path.join(process.env.TEST_ROOT, "tests/integration/clients/endpoints.json"), "utf8"))) {
    if (target === "error") assert.throws(() => endpoints.targetOf(endpoint, tls), TypeError, endpoint);
    else assert.equal(endpoints.targetOf(endpoint, tls), target);
  }
  assert.throws(() => endpoints.targetOf(`unix:/${"x".repeat(107)}`, false), /107/);
});

test("the environment is that of consentctl", () => {
  assert.equal(endpoints.defaultEndpoint({}, false), "unix:/run/consentd/consentd.sock");
  assert.equal(endpoints.defaultEndpoint({ XDG_RUNTIME_DIR: "/run/user/7" }, false), "unix:/run/user/7/consentd/consentd.sock");
  assert.equal(endpoints.defaultEndpoint({ XDG_RUNTIME_DIR: "/run/user/7" }, true), "unix:/run/consentd/consentd.sock");
  assert.equal(endpoints.defaultEndpoint({ XDG_RUNTIME_DIR: "relative" }, false), "unix:/run/consentd/consentd.sock");
  const three = { CONSENT_CA: "a", CONSENT_CERT: "b", CONSENT_KEY: "c" };
  assert.deepEqual(endpoints.filesOf({}, three), { ca: "a", certificate: "b", key: "c" });
  assert.deepEqual(endpoints.filesOf({ ca: "x" }, three), { ca: "x", certificate: "b", key: "c" });
  assert.equal(endpoints.filesOf({}, {}), undefined);
  for (const missing of Object.keys(three)) assert.throws(() => endpoints.filesOf({}, { ...three, [missing]: "" }), /three files/);
  const empty = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "consent-client-")), "empty");
  fs.writeFileSync(empty, "");
  assert.throws(() => connect({ endpoint: "consent.example:1", ca: empty, certificate: empty, key: empty }), /PEM/);
  fs.rmSync(path.dirname(empty), { recursive: true });
});
