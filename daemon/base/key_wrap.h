// AES key wrap (RFC 3394; NIST SP 800-38F, KW) with a 256-bit key: keys under a key, deterministic, eight bytes longer,
// with an integrity check of 64 bits. OpenSSL's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"

namespace consent::base {

// `plain`: 16 to 64 bytes in steps of 8. Thread-safe.
std::string WrapKey(const Digest& under, std::string_view plain);
// Nothing unless WrapKey made it under the same key.
std::optional<std::string> UnwrapKey(const Digest& under, std::string_view wrapped);

}  // namespace consent::base
