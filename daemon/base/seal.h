// Authenticated encryption of payloads: XChaCha20-Poly1305 (libsodium, RFC 8439 construction with 24-byte nonces).
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/random.h"

namespace consent::base {

// nonce (24) ‖ ciphertext ‖ tag (16). `context` is authenticated but not stored. Thread-safe if `random` is.
std::string Seal(const Digest& key, std::string_view plaintext, std::string_view context, Random& random);

// DataLoss: not sealed under this key and context, or damaged.
absl::StatusOr<std::string> Open(const Digest& key, std::string_view sealed, std::string_view context);

// Bytes that Seal adds.
inline constexpr size_t kSealOverhead = 24 + 16;

}  // namespace consent::base
