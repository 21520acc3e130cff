// Randomness, injected. Tests use a seeded one, main the system's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace consent::base {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(void* out, size_t n) = 0;
};

// The kernel's generator, read in blocks of 4 KiB per thread because one system call per nonce shows in profiles.
// Handed-out bytes are wiped from the block. Not for use across fork().
class SystemRandom final : public Random {
 public:
  void Fill(void* out, size_t n) override;
};

}  // namespace consent::base
