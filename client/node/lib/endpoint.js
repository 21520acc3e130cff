"use strict";
// Where the daemon is: what an endpoint may be, where it is by default, and the files of TLS. The same as of the C++ library and consentctl.

const fs = require("node:fs");
const net = require("node:net");
const tls = require("node:tls");

const WANTED = "the endpoint must be unix:/absolute/path, HOST:port or [IPv6]:port";
const WANTED_LOCAL = "the endpoint must be unix:/absolute/path, 127.0.0.1:port, [::1]:port or localhost:port: without certificates only this machine is " +
  "allowed; for another one give ca, certificate and key (CONSENT_CA, CONSENT_CERT, CONSENT_KEY)";
const MAX_SOCKET_BYTES = 107;
const MAX_NAME_BYTES = 253; // RFC 1035, section 2.3.4
const MAX_PEM_BYTES = 1 << 20;
const NAME = /^(?![-.])(?!.*\.\.)[A-Za-z0-9._-]+$/;

/** @typedef {{ca: string, certificate: string, key: string}} Files The CA of the daemon's certificate, the client's certificate, its key: paths. */
/** @typedef {{[name: string]: string | undefined}} Environment */

/**
 * Where daemon and clients meet when nobody says it.
 * @param {Environment} environment
 * @param {boolean} isRoot
 */
function defaultEndpoint(environment, isRoot) {
  const runtime = environment.XDG_RUNTIME_DIR ?? "";
  return !isRoot && runtime.startsWith("/") ? `unix:${runtime}/consentd/consentd.sock` : "unix:/run/consentd/consentd.sock";
}

/**
 * Undefined: no TLS. An option counts before the environment. Throws where some of the three are missing.
 * @param {Partial<Files>} given
 * @param {Environment} environment
 * @returns {Files | undefined}
 */
function filesOf(given, environment) {
  const files = {
    ca: given.ca || environment.CONSENT_CA || "",
    certificate: given.certificate || environment.CONSENT_CERT || "",
    key: given.key || environment.CONSENT_KEY || "",
  };
  const count = Object.values(files).filter(Boolean).length;
  if (count === 3) return files;
  if (count === 0) return undefined;
  throw new TypeError("TLS takes three files, the CA's certificate, the client's certificate and its key, and some are missing: give ca, certificate " +
    "and key (CONSENT_CA, CONSENT_CERT, CONSENT_KEY), or none of them");
}

/** @param {string} what @param {string} path */
function readPem(what, path) {
  let bytes;
  try {
    if (fs.statSync(path).size > MAX_PEM_BYTES) throw new Error(`it is larger than ${MAX_PEM_BYTES} bytes, the most that is read`);
    bytes = fs.readFileSync(path);
  } catch (error) {
    throw new TypeError(`the ${what} ${path} cannot be read: ${/** @type {Error} */ (error).message}`);
  }
  if (!bytes.includes("-----BEGIN ")) throw new TypeError(`the ${what} ${path} is no PEM file`);
  return bytes;
}

/**
 * The bytes of the three files; throws where they are no good.
 * @param {Files} files
 */
function readFiles(files) {
  const ca = readPem("CA file", files.ca);
  const cert = readPem("certificate", files.certificate);
  const key = readPem("key file", files.key);
  try {
    tls.createSecureContext({ ca, cert, key });
  } catch (error) {
    throw new TypeError(`the certificate ${files.certificate} and the key ${files.key} cannot be used: they must belong together, the key without a ` +
      `passphrase (${/** @type {Error} */ (error).message})`);
  }
  return { ca, cert, key };
}

/**
 * Changes when one of them is replaced or written.
 * @param {Files} files
 */
function stampOf(files) {
  return [files.ca, files.certificate, files.key].map((path) => {
    const file = fs.statSync(path, { bigint: true });
    return `${file.ino}:${file.mtimeNs}:${file.size}`;
  }).join(" ");
}

/** @param {string} path */
function unixTarget(path) {
  const plain = path.startsWith("///") ? path.slice(2) : path;
  if (!plain.startsWith("/") || plain.startsWith("//")) throw new TypeError(WANTED);
  const length = Buffer.byteLength(plain);
  if (length > MAX_SOCKET_BYTES) throw new TypeError(`the endpoint's socket path is ${length} bytes long; the system allows at most ${MAX_SOCKET_BYTES}`);
  return `unix:${plain}`;
}

const THIS_MACHINE = new net.BlockList();
THIS_MACHINE.addSubnet("127.0.0.0", 8, "ipv4");
THIS_MACHINE.addAddress("::1", "ipv6");

/** @param {string} address */
const isLoopback = (address) => THIS_MACHINE.check(address, net.isIPv4(address) ? "ipv4" : "ipv6");

/**
 * As gRPC takes it. Throws. Without TLS only this machine is allowed, by its numbers: no name service and no proxy come between.
 * @param {string} endpoint
 * @param {boolean} withTls
 */
function targetOf(endpoint, withTls) {
  const wanted = withTls ? WANTED : WANTED_LOCAL;
  if (endpoint.includes("\0")) throw new TypeError(wanted);
  if (endpoint.startsWith("unix:")) return unixTarget(endpoint.slice(5));
  const colon = endpoint.lastIndexOf(":");
  if (colon < 0) throw new TypeError(wanted);
  const [host, port] = [endpoint.slice(0, colon), endpoint.slice(colon + 1)];
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    throw new TypeError("the endpoint's port must be a number from 1 to 65535");
  }
  if (host === "localhost" && !withTls) return `ipv4:127.0.0.1:${port}`;
  const inner = /^\[([0-9A-Fa-f:.]+)\]$/.exec(host)?.[1];
  if (inner !== undefined && net.isIPv6(inner)) {
    if (!withTls && !isLoopback(inner)) throw new TypeError(wanted);
    return `ipv6:[${inner}]:${port}`;
  }
  if (net.isIPv4(host)) {
    if (!withTls && !isLoopback(host)) throw new TypeError(wanted);
    return `ipv4:${host}:${port}`;
  }
  if (withTls && NAME.test(host) && host.length <= MAX_NAME_BYTES && !/^[0-9.]*$/.test(host)) return `dns:///${host}:${port}`;
  throw new TypeError(wanted);
}

module.exports = { defaultEndpoint, filesOf, readFiles, stampOf, targetOf };
