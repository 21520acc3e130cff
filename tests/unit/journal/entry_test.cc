// The bytes of entries and headers: each value has one form, and nothing else is taken.
#include <gtest/gtest.h>

#include "tests/unit/journal/samples.h"

namespace consent::test {
namespace {

using journal::Entry;

constexpr uint64_t kSeed = 20261129;

std::string BytesOf(const Entry& entry) {
  std::string bytes;
  journal::EncodeEntry(entry, &bytes);
  return bytes;
}

TEST(Entry, AnyComesBackAsItWas) {
  EntryDice dice(kSeed);
  for (int i = 0; i < 2'000; ++i) {
    const Entry entry = dice.Any();
    Entry back;
    ASSERT_TRUE(journal::DecodeEntry(BytesOf(entry), &back)) << "seed " << kSeed << ", entry " << i;
    ASSERT_TRUE(back == entry) << "seed " << kSeed << ", entry " << i;
  }
}

TEST(Entry, EveryFlippedBitIsRefusedOrAnotherEntrysOnlyForm) {
  EntryDice dice(kSeed + 1);
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string bytes = BytesOf(dice.Any());
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string other = bytes;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
      Entry read;
      if (!journal::DecodeEntry(other, &read)) {
        ++refused;
      } else {
        ASSERT_EQ(BytesOf(read), other) << "entry " << i << ", bit " << bit;
      }
    }
  }
  EXPECT_GT(refused, 1'000);
}

TEST(Entry, EveryBeginningIsRefused) {
  EntryDice dice(kSeed + 2);
  for (int i = 0; i < 60; ++i) {
    const std::string bytes = BytesOf(dice.Any());
    Entry read;
    for (size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_FALSE(journal::DecodeEntry(std::string_view(bytes).substr(0, size), &read)) << "entry " << i;
    }
    ASSERT_FALSE(journal::DecodeEntry(bytes + '\0', &read));
  }
}

TEST(Entry, AHeaderComesBackAsItWas) {
  journal::FileHeader header;
  header.store_id.fill(3);
  header.number = 7;
  header.public_key.fill(9);
  for (uint64_t p = 0; p < 1'024; ++p) header.heads.push_back({{p, base::Instant{static_cast<int64_t>(p)}}, {}});
  for (uint64_t p = 1; p < 1'024; ++p) header.heads[p].chain = ChainOf(p);
  std::string bytes;
  journal::EncodeFileHeader(header, &bytes);
  journal::FileHeader back;
  ASSERT_TRUE(journal::DecodeFileHeader(bytes, &back));
  EXPECT_EQ(back.store_id, header.store_id);
  EXPECT_EQ(back.number, header.number);
  EXPECT_EQ(back.public_key, header.public_key);
  ASSERT_EQ(back.heads.size(), header.heads.size());
  for (size_t p = 0; p < header.heads.size(); ++p) {
    EXPECT_EQ(back.heads[p].stamp.sequence, header.heads[p].stamp.sequence);
    EXPECT_EQ(back.heads[p].chain, header.heads[p].chain);
  }
  for (size_t size = 0; size < bytes.size(); size += 97) {
    EXPECT_FALSE(journal::DecodeFileHeader(std::string_view(bytes).substr(0, size), &back));
  }
}

}  // namespace
}  // namespace consent::test
