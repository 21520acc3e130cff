#include "daemon/base/hash.h"

#include <sodium.h>

#include "daemon/base/sha256_stream.h"

namespace consent::base {
namespace {

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Digest Sha256(std::string_view a, std::string_view b) {
  thread_local Sha256Stream stream;
  stream.Update(a);
  stream.Update(b);
  return stream.Finish();
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
