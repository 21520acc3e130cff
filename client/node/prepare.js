"use strict";
// Makes what the package holds beside its sources: proto/ (a copy of the source tree's), generated/ (types of the messages) and types/ (of all that is
// exported). npm runs it on `npm ci`, `npm install` and `npm pack` in this folder. CONSENT_PROTO names another folder that holds consent/v1.

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const source = path.join(process.env.CONSENT_PROTO ?? path.join(__dirname, "..", "..", "proto"), "consent/v1");
const copy = path.join(__dirname, "proto/consent/v1");

function run(program, ...args) {
  execFileSync(path.join(__dirname, "node_modules/.bin", program), args, { cwd: __dirname, stdio: ["ignore", "ignore", "inherit"] });
}

for (const folder of ["proto", "generated", "types"]) fs.rmSync(path.join(__dirname, folder), { recursive: true, force: true });
fs.mkdirSync(copy, { recursive: true });
for (const name of fs.readdirSync(source).filter((file) => /\.(proto|json)$/.test(file))) fs.copyFileSync(path.join(source, name), path.join(copy, name));
const protos = fs.readdirSync(copy).filter((name) => name.endsWith("_service.proto")).map((name) => `consent/v1/${name}`);
run("proto-loader-gen-types", "--keepCase", "--longs=String", "--enums=String", "--defaults", "--oneofs", "--includeComments",
  "--grpcLib=@grpc/grpc-js", `--includeDirs=${path.join(__dirname, "proto")}`, `--outDir=${path.join(__dirname, "generated")}`, ...protos);
run("tsc", "-p", "tsconfig.json");
