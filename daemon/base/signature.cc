#include "daemon/base/signature.h"

#include <sodium.h>

namespace consent::base {

static_assert(sizeof(Signature) == crypto_sign_BYTES);
static_assert(sizeof(PublicKey) == crypto_sign_PUBLICKEYBYTES);
static_assert(sizeof(Digest) == crypto_sign_SEEDBYTES);

SigningKey::SigningKey(const Digest& seed) {
  static_assert(sizeof(secret_key_) == crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(public_key_.data(), secret_key_.data(), seed.data());
}

SigningKey::~SigningKey() { sodium_memzero(secret_key_.data(), secret_key_.size()); }

Signature SigningKey::Sign(std::string_view message) const {
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, Unsigned(message), message.size(), secret_key_.data());
  return signature;
}

bool Verify(const PublicKey& key, std::string_view message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), Unsigned(message), message.size(), key.data()) == 0;
}

}  // namespace consent::base
