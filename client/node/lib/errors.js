"use strict";
// What an error of the daemon says: the reason, its metadata, the fields at fault, and when to ask again.

const grpc = require("@grpc/grpc-js");
const protobuf = require("protobufjs");

// Of google.rpc (AIP-193); as large as is read here.
const RPC = protobuf.Root.fromJSON(/** @type {protobuf.INamespace} */ ({
  nested: {
    Status: { fields: { code: { id: 1, type: "int32" }, message: { id: 2, type: "string" }, details: { id: 3, rule: "repeated", type: "Detail" } } },
    Detail: { fields: { type_url: { id: 1, type: "string" }, value: { id: 2, type: "bytes" } } },
    ErrorInfo: { fields: { reason: { id: 1, type: "string" }, domain: { id: 2, type: "string" }, metadata: { id: 3, keyType: "string", type: "string" } } },
    BadRequest: { fields: { field_violations: { id: 1, rule: "repeated", type: "FieldViolation" } } },
    FieldViolation: { fields: { field: { id: 1, type: "string" }, description: { id: 2, type: "string" } } },
    RetryInfo: { fields: { retry_delay: { id: 1, type: "Duration" } } },
    Duration: { fields: { seconds: { id: 1, type: "int64" }, nanos: { id: 2, type: "int32" } } },
  },
}));
const DOMAIN = "consent.v1";

/**
 * What to do follows from the code alone (errors.proto): UNAVAILABLE, the same again after a pause; RESOURCE_EXHAUSTED, the same again after
 * `retryAfterMs`; ABORTED, read first; every other one, do not repeat. No text names an id.
 * @typedef {object} ConsentError
 * @property {string} code gRPC's, such as ABORTED
 * @property {string} message
 * @property {string} reason an ErrorReason without its prefix, such as ETAG_MISMATCH; empty where the error is not the daemon's
 * @property {Record<string, string>} metadata
 * @property {Record<string, string>} fields path such as `changes[0].target.control` -> what is wrong, and the bound
 * @property {number | undefined} retryAfterMs
 */

/** @param {string} name @param {Uint8Array} bytes @returns {any} */
function read(name, bytes) {
  const type = RPC.lookupType(name);
  return type.toObject(type.decode(bytes), { defaults: true, longs: Number });
}

/** @param {ConsentError} into @param {string} kind @param {Uint8Array} value */
function addDetail(into, kind, value) {
  const detail = ["ErrorInfo", "BadRequest", "RetryInfo"].includes(kind) ? read(kind, value) : undefined;
  if (kind === "ErrorInfo" && detail.domain === DOMAIN) {
    into.reason = detail.reason;
    into.metadata = detail.metadata;
  }
  if (kind === "BadRequest") {
    into.fields = Object.fromEntries(detail.field_violations.map((/** @type {any} */ violation) => [violation.field, violation.description]));
  }
  if (kind === "RetryInfo" && detail.retry_delay) into.retryAfterMs = detail.retry_delay.seconds * 1000 + detail.retry_delay.nanos / 1e6;
}

/**
 * Of what a call rejected with. Details that cannot be read, or are not the daemon's, are left out. What is no error of a call, such as a TypeError
 * of a misspelt field, has the code UNKNOWN and no reason.
 * @param {unknown} error
 * @returns {ConsentError}
 */
function errorOf(error) {
  const told = /** @type {Partial<grpc.ServiceError>} */ (error ?? {});
  /** @type {ConsentError} */
  const found = {
    code: grpc.status[told.code ?? grpc.status.UNKNOWN] ?? "UNKNOWN", message: told.details || told.message || "", reason: "", metadata: {}, fields: {},
    retryAfterMs: undefined,
  };
  const bytes = told.metadata?.get?.("grpc-status-details-bin")?.[0];
  if (!(bytes instanceof Uint8Array)) return found;
  try {
    const whole = { ...found };
    for (const detail of read("Status", bytes).details) addDetail(whole, detail.type_url.replace(/^.*\//, "").replace(/^google\.rpc\./, ""), detail.value);
    return whole;
  } catch {
    return found;
  }
}

module.exports = { errorOf };
