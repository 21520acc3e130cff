#include "daemon/base/random.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace consent::base {
namespace {

constexpr size_t kBlockBytes = 4096;

// What is left of the block lies at its end and is random; what was handed out is zero.
struct Block {
  std::array<uint8_t, kBlockBytes> bytes{};
  size_t used = kBlockBytes;
  ~Block() { sodium_memzero(bytes.data(), bytes.size()); }
};

}  // namespace

void SystemRandom::Fill(void* out, size_t n) {
  if (n >= kBlockBytes) {
    randombytes_buf(out, n);
    return;
  }
  static thread_local Block block;
  auto* to = static_cast<uint8_t*>(out);
  while (n > 0) {
    if (block.used == kBlockBytes) {
      randombytes_buf(block.bytes.data(), kBlockBytes);
      block.used = 0;
    }
    const size_t part = std::min(n, kBlockBytes - block.used);
    std::memcpy(to, block.bytes.data() + block.used, part);
    sodium_memzero(block.bytes.data() + block.used, part);
    block.used += part;
    to += part;
    n -= part;
  }
}

}  // namespace consent::base
