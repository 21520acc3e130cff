// Bytes on disk of the embedded store, frozen; the log check on logs made here.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "daemon/base/hash.h"
#include "daemon/store/rocksdb/crc32c.h"
#include "daemon/store/rocksdb/rows.h"
#include "daemon/store/rocksdb/wal_check.h"

namespace consent::store::rocksdb_formats_test {
namespace {

using base::Hex;

const Stamp kStamp{300, base::Instant{1'700'000'000'123'456}};

base::Digest Filled(uint8_t byte) {
  base::Digest digest{};
  digest.fill(byte);
  return digest;
}

std::string Repeat(const char* hex, int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += hex;
  return all;
}

TEST(Golden, Keys) {
  EXPECT_EQ(Hex(DiskRowKey(Partition{0}, Table::kSubject, "key")), "006b6579");
  EXPECT_EQ(Hex(DiskRowKey(Partition{0}, Table::kHold, "key")), "000c6b6579");
  EXPECT_EQ(Hex(DiskRowKey(Partition{300}, Table{100}, "key")), "812c646b6579");
  EXPECT_EQ(Hex(PartitionBegin(Partition{127})), "7f");
  EXPECT_EQ(Hex(PartitionBegin(Partition{128})), "8080");
  EXPECT_EQ(Hex(PartitionBegin(Partition{1023})), "83ff");
  EXPECT_EQ(Hex(FeedKey(Partition{0}, 300)), "00000000000000012c");
  EXPECT_EQ(Hex(FirstRowKey(Partition{1})), "66697273743a01");
  EXPECT_EQ(Hex(EncodeFirstRow(300)), "ac02");
  EXPECT_EQ(DecodeFirstRow(EncodeFirstRow(300)), 300u);
  EXPECT_FALSE(DecodeFirstRow(""));
  EXPECT_FALSE(DecodeFirstRow(EncodeFirstRow(0)));
  EXPECT_FALSE(DecodeFirstRow(EncodeFirstRow(300) + "x"));
}

TEST(Golden, FeedRows) {
  const Event event{"0123456789abcdef", "body", Filled(0xc0)};
  const std::string value = EncodeFeedRow(kStamp, event, Filled(0xaa));
  EXPECT_EQ(Hex(value),
            "01c0c480c1c1c48203" + Repeat("aa", 32) + "10" + Hex("0123456789abcdef") + Repeat("c0", 32) + Hex("body"));
  const auto row = DecodeFeedRow(300, value);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->event.body, "body");
  EXPECT_EQ(Hex(EncodeErasedFeedRow(*row)), "02c0c480c1c1c48203" + Repeat("aa", 32));
  const auto erased = DecodeFeedRow(300, EncodeErasedFeedRow(*row));
  ASSERT_TRUE(erased);
  EXPECT_TRUE(erased->erased);
  EXPECT_EQ(erased->chain, row->chain);
  EXPECT_FALSE(DecodeFeedRow(300, ""));
  EXPECT_FALSE(DecodeFeedRow(300, "\x03" + value.substr(1)));
  EXPECT_FALSE(DecodeFeedRow(300, EncodeErasedFeedRow(*row) + "x"));
}

TEST(Golden, StoreRow) {
  const StoreIdentity row{{1}, 3, {2}, base::Instant{300}};
  EXPECT_EQ(Hex(EncodeStoreRow(row)),
            "0a"
            "01" +
                Repeat("00", 15) + "0003" + "02" + Repeat("00", 15) + "ac02");
  EXPECT_TRUE(DecodeStoreRow(EncodeStoreRow(row)));
  std::string earlier = EncodeStoreRow(row);
  EXPECT_FALSE(IsOfAnotherFormat(earlier));
  earlier[0] = 1;
  EXPECT_TRUE(IsOfAnotherFormat(earlier));
  EXPECT_FALSE(DecodeStoreRow(earlier));
}

// A change of the format that nobody made: the same store as the next build would write it, and as one before wrote it.
TEST(Format, AnotherBuildsStoreIsRefusedWithWhatToDo) {
  const std::string row = EncodeStoreRow(StoreIdentity{{1}, 3, {2}, base::Instant{300}});
  ASSERT_FALSE(IsOfAnotherFormat(row));
  const std::string ours = std::to_string(DataFormat());
  for (const int step : {1, -1}) {
    std::string other = row;
    other[0] = static_cast<char>(other[0] + step);
    EXPECT_FALSE(DecodeStoreRow(other).has_value()) << "its rows may mean something else";
    ASSERT_TRUE(IsOfAnotherFormat(other));
    const absl::Status refused = RefuseFormat(other);
    EXPECT_TRUE(absl::IsFailedPrecondition(refused));
    const std::string text(refused.message());
    EXPECT_NE(text.find("format " + std::to_string(DataFormat() + step)), std::string::npos) << text;
    EXPECT_NE(text.find("this build's " + ours), std::string::npos) << text;
    EXPECT_NE(text.find("nothing is wrong with it"), std::string::npos) << text;
    EXPECT_EQ(text.find("run that build again") != std::string::npos, step > 0) << text;
    EXPECT_EQ(text.find("import the subjects again") != std::string::npos, step < 0) << text;
  }
}

TEST(Rows, PrefixesOrderAsPartitionsDo) {
  for (uint16_t p = 0; p < 1023; ++p) {
    EXPECT_LT(DiskRowKey(Partition{p}, Table::kSubject, std::string(300, '\xff')),
              PartitionBegin(Partition{static_cast<uint16_t>(p + 1)}));
    EXPECT_EQ(PartitionEnd(Partition{p}), PartitionBegin(Partition{static_cast<uint16_t>(p + 1)}));
  }
  EXPECT_EQ(FeedKeySequence(Partition{5}, FeedKey(Partition{5}, 77)), 77u);
  EXPECT_FALSE(FeedKeySequence(Partition{6}, FeedKey(Partition{5}, 77)));
}

TEST(Rows, ATablesRowsInAPartitionLieSideBySide) {
  const std::string longest(kMaxKeyBytes, '\xff');
  for (const uint16_t p : {0, 127, 128, 1023}) {
    for (int number = 1; number <= kMaxTable; ++number) {
      const Table table{static_cast<uint8_t>(number)};
      EXPECT_LT(DiskRowKey(Partition{p}, table, longest), TableEnd(Partition{p}, table));
      EXPECT_LE(TableEnd(Partition{p}, table), PartitionEnd(Partition{p}));
      EXPECT_LE(PartitionBegin(Partition{p}), DiskRowKey(Partition{p}, table, ""));
      const Table next{static_cast<uint8_t>(number + 1)};
      if (FamilyOf(table) != Family::kSmall || FamilyOf(next) != Family::kSmall) continue;
      EXPECT_EQ(TableEnd(Partition{p}, table), DiskRowKey(Partition{p}, next, ""));
    }
  }
}

TEST(Crc32c, KnownAnswers) {  // RFC 3720, B.4
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
}

// Appends a fragment as the log format has it.
void Append(std::string* log, uint8_t type, const std::string& payload) {
  const std::string checked = std::string(1, static_cast<char>(type)) + payload;
  const uint32_t crc = MaskCrc32c(Crc32c(checked));
  for (int i = 0; i < 4; ++i) log->push_back(static_cast<char>(crc >> (8 * i)));
  log->push_back(static_cast<char>(payload.size()));
  log->push_back(static_cast<char>(payload.size() >> 8));
  *log += checked;
}

TEST(WalCheck, DamageAtTheEndMayBeATornWriteAndInTheMiddleIsNot) {
  std::string log;
  Append(&log, 1, "first");
  const size_t second = log.size();
  Append(&log, 1, "second");
  const size_t third = log.size();
  Append(&log, 1, "third");
  EXPECT_TRUE(IsWalSound(""));
  EXPECT_TRUE(IsWalSound(log));
  for (size_t cut = 0; cut < log.size(); ++cut) EXPECT_TRUE(IsWalSound(log.substr(0, cut)));
  for (size_t at = 0; at < log.size(); ++at) {
    std::string bad = log;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    EXPECT_EQ(IsWalSound(bad), at >= third) << at;
  }
  std::string zeroed = log;
  std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(second), zeroed.begin() + static_cast<std::ptrdiff_t>(third),
            '\0');
  EXPECT_FALSE(IsWalSound(zeroed));
  EXPECT_TRUE(IsWalSound(log + std::string(1000, '\0'))) << "space that was set aside";
}

TEST(WalCheck, PiecesOfOneTornWriteMayArriveInAnyOrder) {
  std::string log;
  Append(&log, 1, "synced");
  const size_t torn = log.size();
  Append(&log, 2, std::string(32'768 - 7 - log.size(), 'a'));  // first piece fills the block
  ASSERT_EQ(log.size(), 32'768u);
  Append(&log, 3, std::string(32'768 - 7, 'b'));
  Append(&log, 4, "end");
  EXPECT_TRUE(IsWalSound(log));
  log[torn + 100] ^= 1;
  EXPECT_TRUE(IsWalSound(log)) << "the write was not synced: nothing begins after it";
  Append(&log, 1, "a later write");
  EXPECT_FALSE(IsWalSound(log));
}

}  // namespace
}  // namespace consent::store::rocksdb_formats_test
