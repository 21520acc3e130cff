// Keys that are the same in every run, for tests and golden files.
#pragma once

#include <array>
#include <cstring>
#include <string>

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"

namespace consent::test {

inline base::Keys SeededKeys(uint64_t seed) {
  class Drawn final : public base::Random {
   public:
    explicit Drawn(uint64_t seed) { base::Encoder(&seed_).BigEndian(seed, 8); }
    void Fill(void* out, size_t n) override {
      static constexpr std::array kLabels = {"consentd test lookup key", "consentd test disk key",
                                             "consentd test payload key", "consentd test token key"};
      const base::Digest digest = base::Blake2b(kLabels.at(next_++), seed_);
      std::memcpy(out, digest.data(), n);
    }

   private:
    std::string seed_;
    size_t next_ = 0;
  };
  Drawn drawn(seed);
  return base::Keys::Generate(drawn);
}

}  // namespace consent::test
