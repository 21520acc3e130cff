#include "daemon/base/seal.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "daemon/base/random.h"

namespace consent::base {
namespace {

TEST(Seal, OpensOnlyWithItsKeyAndContext) {
  SystemRandom random;
  const Digest key{1};
  for (const size_t size : {0, 1, 16, 1000}) {
    const std::string plaintext(size, 'p');
    const std::string sealed = Seal(key, plaintext, "context", random);
    EXPECT_EQ(sealed.size(), size + kSealOverhead);
    const auto opened = Open(key, sealed, "context");
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened, plaintext);
    EXPECT_TRUE(absl::IsDataLoss(Open(Digest{2}, sealed, "context").status()));
    EXPECT_TRUE(absl::IsDataLoss(Open(key, sealed, "other").status()));
  }
}

TEST(Seal, EveryByteIsProtected) {
  SystemRandom random;
  const std::string sealed = Seal(Digest{1}, "payload", "context", random);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string bad = sealed;
    bad[i] = static_cast<char>(bad[i] ^ 0x80);
    EXPECT_TRUE(absl::IsDataLoss(Open(Digest{1}, bad, "context").status())) << i;
    EXPECT_TRUE(absl::IsDataLoss(Open(Digest{1}, sealed.substr(0, i), "context").status())) << i;
  }
  EXPECT_TRUE(absl::IsDataLoss(Open(Digest{1}, sealed + "x", "context").status()));
}

TEST(Seal, NeverTwiceTheSame) {
  SystemRandom random;
  EXPECT_NE(Seal(Digest{1}, "p", "c", random), Seal(Digest{1}, "p", "c", random));
}

TEST(Random, FillsAnySizeAndDoesNotRepeat) {
  SystemRandom random;
  std::set<std::array<uint8_t, 12>> seen;
  for (int i = 0; i < 2000; ++i) {
    std::array<uint8_t, 12> bytes{};
    random.Fill(bytes.data(), bytes.size());
    EXPECT_TRUE(seen.insert(bytes).second);
  }
  for (const size_t size : {0, 1, 4095, 4096, 4097, 10'000}) {
    std::string bytes(size + 1, '\x5a');
    random.Fill(bytes.data(), size);
    EXPECT_EQ(bytes.back(), '\x5a');
    if (size >= 4095) {
      EXPECT_NE(bytes.substr(size - 16, 16), std::string(16, '\x5a'));
    }
  }
}

}  // namespace
}  // namespace consent::base
