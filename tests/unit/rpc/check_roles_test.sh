#!/bin/bash
# What the build's check of roles refuses: check_roles_test.sh PROTOC CHECK_ROLES PROTO_FOLDER
set -euo pipefail
protoc=$1 check=$2 protos=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# refuses TEXT OPTIONS: a method with these options is named, and told TEXT.
refuses() {
  cat >"$folder/sample.proto" <<PROTO
syntax = "proto3";
package sample;
import "consent/v1/roles.proto";
message M {}
service S {
  rpc Good(M) returns (M) { option (consent.v1.roles) = ROLE_AUDITOR; }
  rpc Bad(M) returns (M) { $2 }
}
PROTO
  "$protoc" -I "$folder" -I "$protos" --include_imports --descriptor_set_out="$folder/sample.descriptors" sample.proto
  if said=$("$check" "$folder/sample.descriptors" 2>&1); then
    echo "passed: $2" >&2
    exit 1
  fi
  [[ $said == "sample.proto: S.Bad "*"$1"* ]] || { echo "said of '$2': $said" >&2; exit 1; }
}

refuses "names no role" ""
refuses "names no role" "option deprecated = true;"
refuses "ROLE_UNSPECIFIED" "option (consent.v1.roles) = ROLE_UNSPECIFIED;"
refuses "reserved" "option (consent.v1.roles) = ROLE_EDGE;"
refuses "twice" "option (consent.v1.roles) = ROLE_AUDITOR; option (consent.v1.roles) = ROLE_AUDITOR;"
if "$check" "$folder/none" 2>/dev/null; then exit 1; fi
: >"$folder/empty"
if "$check" "$folder/empty" 2>/dev/null; then exit 1; fi
