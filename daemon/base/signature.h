// Ed25519 signatures (RFC 8032; libsodium's).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daemon/base/bytes.h"

namespace consent::base {

using Signature = std::array<uint8_t, 64>;
using PublicKey = std::array<uint8_t, 32>;

// Immutable; thread-safe. Wipes its bytes when it goes.
class SigningKey {
 public:
  // The same pair for the same 32 bytes, which are the secret.
  explicit SigningKey(const Digest& seed);
  ~SigningKey();
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;

  const PublicKey& public_key() const { return public_key_; }
  Signature Sign(std::string_view message) const;

 private:
  PublicKey public_key_{};
  std::array<uint8_t, 64> secret_key_{};
};

// Whether the key's owner signed these very bytes. Thread-safe.
bool Verify(const PublicKey& key, std::string_view message, const Signature& signature);

}  // namespace consent::base
