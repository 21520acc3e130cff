// Unkeyed hashes.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/bytes.h"

namespace consent::base {

// SHA-256 (FIPS 180-4) of the concatenation.
Digest Sha256(std::string_view a, std::string_view b = {});
// BLAKE2b-256 (RFC 7693) of the concatenation.
Digest Blake2b(std::string_view a, std::string_view b = {});
// Lower-case hexadecimal.
std::string Hex(std::string_view bytes);
// False unless `hex` is lower-case hexadecimal of exactly n bytes.
bool FromHex(std::string_view hex, void* out, size_t n);

}  // namespace consent::base
