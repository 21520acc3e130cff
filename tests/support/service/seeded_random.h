// Randomness that replays.
#pragma once

#include <random>

#include "daemon/base/mutex.h"
#include "daemon/base/random.h"

namespace consent::test {

// Thread-safe.
class SeededRandom final : public base::Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  void Fill(void* out, size_t n) override {
    base::MutexLock lock(mutex_);
    auto* bytes = static_cast<uint8_t*>(out);
    for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(engine_());
  }

 private:
  base::Mutex mutex_;
  std::mt19937_64 engine_ GUARDED_BY(mutex_);
};

}  // namespace consent::test
