// Hostile bytes for the decoders of rows.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "daemon/base/hash.h"

namespace consent::test {

// `reencode` returns nothing for what does not decode. Whatever decodes must encode to the very same bytes; nothing may
// crash.
template <typename Decode>
void Torment(const std::string& bytes, Decode reencode, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    const std::string again = reencode(cut);
    ASSERT_TRUE(again.empty() || again == cut) << seed;
  }
  for (int i = 0; i < 200; ++i) {
    std::string hurt = bytes;
    for (uint64_t n = 1 + random() % 3; n > 0 && !hurt.empty(); --n) {
      hurt[random() % hurt.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) hurt += static_cast<char>(random());
    const std::string again = reencode(hurt);
    ASSERT_TRUE(again.empty() || again == hurt) << seed << " " << base::Hex(hurt);
  }
}

}  // namespace consent::test
