#include "daemon/base/seal.h"

#include <sodium.h>

namespace consent::base {
namespace {

constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceBytes + kTagBytes == kSealOverhead);
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == sizeof(Digest));

unsigned char* Unsigned(std::string& s, size_t at) { return reinterpret_cast<unsigned char*>(s.data()) + at; }

}  // namespace

std::string Seal(const Digest& key, std::string_view plaintext, std::string_view context, Random& random) {
  std::string sealed(plaintext.size() + kSealOverhead, '\0');
  random.Fill(sealed.data(), kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(Unsigned(sealed, kNonceBytes), nullptr, Unsigned(plaintext),
                                             plaintext.size(), Unsigned(context), context.size(), nullptr,
                                             Unsigned(sealed, 0), key.data());
  return sealed;
}

absl::StatusOr<std::string> Open(const Digest& key, std::string_view sealed, std::string_view context) {
  const absl::Status damaged = absl::DataLossError("sealed bytes are damaged or belong to another key or place");
  if (sealed.size() < kSealOverhead) return damaged;
  std::string plaintext(sealed.size() - kSealOverhead, '\0');
  const std::string_view body = sealed.substr(kNonceBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(Unsigned(plaintext, 0), nullptr, nullptr, Unsigned(body), body.size(),
                                                 Unsigned(context), context.size(), Unsigned(sealed),
                                                 key.data()) != 0) {
    return damaged;
  }
  return plaintext;
}

}  // namespace consent::base
