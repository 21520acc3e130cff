#include "daemon/base/sealed_box.h"

#include <sodium.h>

#include <array>

namespace consent::base {

static_assert(crypto_box_PUBLICKEYBYTES == sizeof(Digest) && crypto_box_SECRETKEYBYTES == sizeof(Digest));
static_assert(crypto_box_SEALBYTES == kSealedBoxOverhead);

bool BoxPublicKey::CanSeal() const {
  // Any secret does: with a key of low order all of them come to the same shared zeros, which libsodium refuses.
  constexpr Digest kAnySecret{1};
  Digest shared{};
  return crypto_scalarmult(shared.data(), kAnySecret.data(), key_.data()) == 0;
}

// As crypto_box_seal does it, but with an ephemeral pair from our own source of randomness.
std::string BoxPublicKey::Seal(std::string_view plain, Random& random) const {
  Digest seed{};
  random.Fill(seed.data(), seed.size());
  Digest ephemeral{};
  Digest secret{};
  crypto_box_seed_keypair(ephemeral.data(), secret.data(), seed.data());
  std::array<uint8_t, crypto_box_NONCEBYTES> nonce{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, nonce.size());
  crypto_generichash_update(&state, ephemeral.data(), ephemeral.size());
  crypto_generichash_update(&state, key_.data(), key_.size());
  crypto_generichash_final(&state, nonce.data(), nonce.size());
  std::string sealed(View(ephemeral));
  sealed.resize(kSealedBoxOverhead + plain.size());
  if (crypto_box_easy(reinterpret_cast<unsigned char*>(sealed.data()) + ephemeral.size(), Unsigned(plain), plain.size(),
                      nonce.data(), key_.data(), secret.data()) != 0) {
    sealed.clear();
  }
  sodium_memzero(secret.data(), secret.size());
  sodium_memzero(seed.data(), seed.size());
  return sealed;
}

BoxSecretKey::~BoxSecretKey() { sodium_memzero(key_.data(), key_.size()); }

BoxPublicKey BoxSecretKey::Public() const {
  Digest key{};
  crypto_scalarmult_base(key.data(), key_.data());
  return BoxPublicKey(key);
}

std::optional<std::string> BoxSecretKey::Open(std::string_view sealed) const {
  if (sealed.size() < kSealedBoxOverhead) return std::nullopt;
  const Digest its_public = Public().bytes();
  std::string plain(sealed.size() - kSealedBoxOverhead, '\0');
  if (crypto_box_seal_open(reinterpret_cast<unsigned char*>(plain.data()), Unsigned(sealed), sealed.size(),
                           its_public.data(), key_.data()) != 0) {
    return std::nullopt;
  }
  return plain;
}

}  // namespace consent::base
