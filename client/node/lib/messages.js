"use strict";
// The messages of consent.v1 as plain objects: fields by their names in the protos, enums by name, 64-bit numbers as text, bytes as Buffer.

const fs = require("node:fs");
const path = require("node:path");
const protobuf = require("protobufjs");
const descriptor = require("protobufjs/google/protobuf/descriptor.json");

// The package's own copy, which `npm run prepare` makes; else the source tree's.
const FOLDERS = [path.join(__dirname, "..", "proto"), path.join(__dirname, "..", "..", "..", "proto")];
const CONVERSION = { longs: String, enums: String, defaults: true, oneofs: true };

function findProtos() {
  const folder = FOLDERS.find((candidate) => fs.existsSync(path.join(candidate, "consent/v1/types.proto")));
  if (folder === undefined) throw new Error(`no consent/v1/types.proto below ${FOLDERS.join(" or ")}: run \`npm run prepare\` in the source tree`);
  return folder;
}

const PROTOS = findProtos();

function load() {
  protobuf.common("descriptor", descriptor.nested.google.nested); // roles.proto extends it
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => (target.startsWith("google/protobuf/") ? target : path.join(PROTOS, target));
  const files = fs.readdirSync(path.join(PROTOS, "consent/v1")).filter((name) => name.endsWith(".proto")).map((name) => `consent/v1/${name}`);
  root.loadSync(files, { keepCase: true });
  return root.resolveAll();
}

const ROOT = load();
const SERVICE_CONFIG = fs.readFileSync(path.join(PROTOS, "consent/v1/service_config.json"), "utf8");

/** @param {string} where @param {protobuf.Enum} type @param {unknown} value */
function checkEnum(where, type, value) {
  const known = typeof value === "number" ? value in type.valuesById : typeof value === "string" && value in type.values;
  if (!known) throw new TypeError(`${where} must be one of ${Object.keys(type.values).slice(1).join(", ")}`);
}

/** @param {string} where @param {protobuf.Field} field @param {unknown} value */
function checkValue(where, field, value) {
  if (value === undefined || value === null) return;
  if (field.resolvedType instanceof protobuf.Enum) checkEnum(where, field.resolvedType, value);
  if (field.resolvedType instanceof protobuf.Type) checkObject(where, field.resolvedType, value);
  if (field.type === "string" && typeof value !== "string") throw new TypeError(`${where} must be a string`);
  if (field.type === "bool" && typeof value !== "boolean") throw new TypeError(`${where} must be true or false`);
}

/**
 * protobuf.js passes over a key that it does not know, and takes an unknown name of an enum for none: a flag that is lost so would let a recording
 * through. Here both throw, with the path and no value.
 * @param {string} where empty: the request itself
 * @param {protobuf.Type} type
 * @param {unknown} object
 */
function checkObject(where, type, object) {
  const kind = typeof object === "object" && object !== null ? Object.getPrototypeOf(object) : undefined;
  // A Date, for one, has no keys and would be taken for 1970.
  if (kind !== Object.prototype && kind !== null) throw new TypeError(`${where || type.name} must be a plain object`);
  for (const [key, value] of Object.entries(/** @type {object} */ (object))) {
    const at = where ? `${where}.${key}` : key;
    if (type.oneofs && Object.hasOwn(type.oneofs, key)) continue; // what a reply says of a oneof: `kind: "control"`
    if (!Object.hasOwn(type.fields, key)) throw new TypeError(`${at} is no field of ${type.name}, which has ${Object.keys(type.fields).join(", ")}`);
    const field = type.fields[key];
    field.resolve();
    if (field.repeated) {
      if (value === undefined || value === null) continue;
      if (!Array.isArray(value)) throw new TypeError(`${at} must be an array`);
      value.forEach((item, index) => {
        if (item === undefined || item === null) throw new TypeError(`${at}[${index}] is missing`);
        checkValue(`${at}[${index}]`, field, item);
      });
    } else {
      checkValue(at, field, value);
    }
  }
}

/** @param {protobuf.Type} type @param {object} request */
function serialize(type, request) {
  checkObject("", type, request);
  return Buffer.from(type.encode(type.fromObject(request)).finish());
}

/** @param {protobuf.Type} type @param {Buffer} bytes */
function deserialize(type, bytes) {
  return type.toObject(type.decode(bytes), CONVERSION);
}

/** A service's methods: name -> path, request and reply. @param {string} name such as SettingsService */
function methodsOf(name) {
  const service = ROOT.lookupService(`consent.v1.${name}`);
  return service.methodsArray.map((method) => {
    method.resolve();
    return {
      name: method.name,
      path: `/consent.v1.${name}/${method.name}`,
      request: /** @type {protobuf.Type} */ (method.resolvedRequestType),
      response: /** @type {protobuf.Type} */ (method.resolvedResponseType),
    };
  });
}

/**
 * A google.protobuf.Timestamp; throws a RangeError where the date is none.
 * @param {Date} date
 */
function timestampOf(date) {
  const milliseconds = date.getTime();
  if (Number.isNaN(milliseconds)) throw new RangeError("the date is none");
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: String(seconds), nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}

module.exports = { SERVICE_CONFIG, deserialize, methodsOf, serialize, timestampOf };
