// A request's identity: what a repeated request_id is compared by.
#pragma once

#include <google/protobuf/message.h>

#include "daemon/base/hash.h"

namespace consent::wire {

// BLAKE2b-256 over a canonical form of our own of every declared field that is set, except a top-level `request_id`.
// The digest lies in the store for 72 hours, upgrades included, so protobuf's serialisation (deterministic within one
// binary at best) will not do. Format 1, frozen by tests:
//   message  := full name of the type as String, fields
//   fields   := (number as Varint, count as Varint, count values)* in ascending order of number, then Varint 0
//   value    := String for text and bytes; Varint of the two's complement for integers, enums and bools; `fields` for
//   messages
// A field that is declared later changes no digest of a request that does not set it. Unknown fields do not count.
// Messages with floating point or map fields have no digest; no request has any (a test sees to it). Thread-safe.
base::Digest RequestDigest(const google::protobuf::Message& request);

}  // namespace consent::wire
