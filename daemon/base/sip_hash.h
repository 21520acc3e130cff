// SipHash-2-4 with an output of 128 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the longer
// output is that of the authors' reference implementation).
//
// libsodium has the same function; ours is here because it can run twice at once. One hash is a chain in which each
// step waits for the one before, and beside it there is room in the processor for a second one.
#pragma once

#include <string_view>

#include "daemon/base/bytes.h"

namespace consent::base {

// Any length. Pure; thread-safe, as the function below.
Bytes16 SipHash128(const Bytes16& key, std::string_view text);

// What is hashed, and where to.
struct SipHashJob {
  const Bytes16& key;
  std::string_view text;
  Bytes16* out;
};
// Both at once; the same as each by itself. The time is that of the longer one.
void SipHash128(const SipHashJob& first, const SipHashJob& second);

}  // namespace consent::base
