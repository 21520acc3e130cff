#include "daemon/base/hash.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <cstdlib>
#include <memory>

namespace consent::base {
namespace {

// OpenSSL has the processor's instructions for SHA-256, where libsodium takes four times as long. Looking the algorithm
// up and making a context costs half as much as hashing a line of 700 bytes, so each thread keeps one.
class Sha256Hasher {
 public:
  Sha256Hasher() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    Require(algorithm_ != nullptr && context_ != nullptr);
  }
  Digest Hash(std::string_view a, std::string_view b) {
    Digest digest{};
    Require(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1 &&
            EVP_DigestUpdate(context_.get(), a.data(), a.size()) == 1 &&
            EVP_DigestUpdate(context_.get(), b.data(), b.size()) == 1 &&
            EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  // A library without SHA-256 or memory leaves nothing safe to do.
  static void Require(bool done) {
    if (!done) std::abort();
  }
  const std::unique_ptr<EVP_MD, Free> algorithm_;
  const std::unique_ptr<EVP_MD_CTX, Free> context_;
};

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Digest Sha256(std::string_view a, std::string_view b) {
  thread_local Sha256Hasher hasher;
  return hasher.Hash(a, b);
}

Digest Blake2b(std::string_view a, std::string_view b) {
  Digest digest{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, digest.size());
  crypto_generichash_update(&state, Unsigned(a), a.size());
  crypto_generichash_update(&state, Unsigned(b), b.size());
  crypto_generichash_final(&state, digest.data(), digest.size());
  return digest;
}

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    hex.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  return hex;
}

bool FromHex(std::string_view hex, void* out, size_t n) {
  if (hex.size() != n * 2) return false;
  auto* bytes = static_cast<uint8_t*>(out);
  for (size_t i = 0; i < n; ++i) {
    const int high = Nibble(hex[2 * i]);
    const int low = Nibble(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace consent::base
