// The head file: its bytes, what a power cut may leave of it, and what damage is told apart from that.
#include "daemon/store/rocksdb/head_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "daemon/base/hash.h"
#include "tests/support/model/seeds.h"
#include "tests/support/temp_folder.h"

namespace consent::store {
namespace {

using base::Hex;

constexpr uint16_t kPartitions = 1024;

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

TEST(HeadGolden, WholeRecord) {
  HeadRecord record;
  record.store_id = {1};
  record.generation = 2;
  record.position = 3;
  record.clock.boot_id = {7};
  record.clock.read = {base::Instant{8}, base::Span{9}};
  record.clock.offset = base::Span{10};
  record.clock.settled = true;
  record.clock.last_trusted = base::Instant{11};
  record.clock.doubtful_since = base::Instant{12};
  record.heads = {Head{{4, base::Instant{5}}, Filled(6)}};
  const std::string bytes = EncodeHeadRecord(record);
  EXPECT_EQ(Hex(bytes), Hex("CONSHD03") + "01" + Repeat("00", 15) + "0000000000000002" + "0000000000000003" + "07" +
                            Repeat("00", 15) + "0000000000000009" + "0000000000000008" + "000000000000000a" +
                            "000000000000000b" + "000000000000000c" + "01" + "0001" + "0000000000000004" +
                            "0000000000000005" + Repeat("06", 32) +
                            "03122a65859c6070d6d4da9f3f5f631f08242d3783e78a9d58c4264daffc1d6d");
  EXPECT_EQ(bytes.size(), HeadRecordBytes(1));
}

TEST(HeadGolden, Moves) {
  const HeadMoves moves{3, 4, {{Partition{300}, Head{{4, base::Instant{5}}, Filled(6)}}}};
  const std::string bytes = EncodeHeadMoves({1}, moves);
  EXPECT_EQ(Hex(bytes), Hex("MOVE") + "0000000000000003" + "0000000000000004" + "0001" + "012c" + "0000000000000004" +
                            "0000000000000005" + Repeat("06", 32) +
                            "8df872289dbc412e53d95c034c44afdf0a28652bc4f34214d6488378fd77cad9");
  EXPECT_EQ(bytes.size(), HeadMovesBytes(1));
}

TEST(HeadRecord, NoDamageIsTakenForARecord) {
  HeadRecord record;
  record.heads.resize(2);
  const std::string good = EncodeHeadRecord(record);
  EXPECT_EQ(DecodeHeadRecord(good)->clock, record.clock);
  ASSERT_TRUE(DecodeHeadRecord(good + "what follows in the slot"));
  const std::string moves = EncodeHeadMoves({1}, HeadMoves{1, 2, {{Partition{1}, Head{}}}});
  ASSERT_TRUE(DecodeHeadMoves({1}, moves + "what follows"));
  EXPECT_FALSE(DecodeHeadMoves({2}, moves)) << "of another store";
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(DecodeHeadRecord(good.substr(0, i)));
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(DecodeHeadRecord(bad)) << i;
  }
  for (size_t i = 0; i < moves.size(); ++i) {
    EXPECT_FALSE(DecodeHeadMoves({1}, moves.substr(0, i)));
    std::string bad = moves;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(DecodeHeadMoves({1}, bad)) << i;
  }
}

// A file, and the record that was written into it last.
class HeadFileTest : public ::testing::Test {
 protected:
  HeadFileTest() {
    record_.store_id = {1};
    record_.generation = 1;
    record_.heads.resize(kPartitions);
    Replace();
  }
  void Replace() {
    auto file = HeadFile::Replace(path_, record_);
    ASSERT_TRUE(file.ok()) << file.status();
    file_ = *std::move(file);
  }
  // The chain tells the sequence, so that a head that never was is seen.
  static base::Digest ChainOf(Sequence sequence) { return Filled(static_cast<uint8_t>(sequence * 7 + 1)); }
  void Move(std::vector<Partition> moved) {
    for (const Partition partition : moved) {
      Head& head = record_.heads[partition.number];
      head.stamp = {head.stamp.sequence + 1, base::Instant{static_cast<int64_t>(head.stamp.sequence) + 1}};
      head.chain = ChainOf(head.stamp.sequence);
    }
    ++record_.generation;
    record_.position += 3;
    ASSERT_TRUE(file_->Write(record_, moved).ok());
  }
  void MoveSome(std::mt19937_64& random) {
    std::vector<Partition> moved;
    const size_t many = random() % 16 == 0 ? 300 : random() % 6;
    for (size_t i = 0; i < many; ++i) moved.push_back(Partition{static_cast<uint16_t>(random() % kPartitions)});
    std::sort(moved.begin(), moved.end());
    moved.erase(std::unique(moved.begin(), moved.end()), moved.end());
    Move(moved);
  }
  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  // `found` is something between the two: each head is one that was.
  static void ExpectBetween(const HeadRecord& least, const HeadRecord& found, const HeadRecord& most) {
    EXPECT_GE(found.generation, least.generation);
    EXPECT_LE(found.generation, most.generation);
    ASSERT_EQ(found.heads.size(), most.heads.size());
    for (size_t p = 0; p < found.heads.size(); ++p) {
      const Sequence sequence = found.heads[p].stamp.sequence;
      ASSERT_GE(sequence, least.heads[p].stamp.sequence) << p;
      ASSERT_LE(sequence, most.heads[p].stamp.sequence) << p;
      ASSERT_EQ(found.heads[p].chain, sequence == 0 ? base::Digest{} : ChainOf(sequence)) << p;
    }
  }

  const test::TempFolder folder_;
  const std::string path_ = folder_ / "head";
  HeadRecord record_;
  std::unique_ptr<HeadFile> file_;
};

TEST_F(HeadFileTest, NothingIsThereBeforeItIsMade) {
  const auto nothing = HeadFile::Read(folder_ / "none");
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->has_value());
}

TEST_F(HeadFileTest, EachWriteIsReadBackAlsoWhereTheRoomForMovesEnds) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1500; ++i) {
    MoveSome(random);
    if (i % 400 == 399) {
      ASSERT_TRUE(file_->Sync(record_).ok());
    }
    if (i % 7 != 0) continue;
    const auto read = HeadFile::Read(path_);
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ((*read)->position, record_.position);
    ExpectBetween(record_, **read, record_);
  }
}

TEST_F(HeadFileTest, OneMoveOfManyPartitionsWritesItAlone) {
  Move({Partition{5}});  // the first of a slot is whole
  const std::string before = Bytes();
  Move({Partition{7}, Partition{1023}});
  const std::string after = Bytes();
  ASSERT_EQ(after.size(), 2 * kHeadSlotBytes);
  size_t changed = 0;
  for (size_t i = 0; i < after.size(); ++i) changed += before[i] != after[i] ? 1 : 0;
  EXPECT_GT(changed, 0u);
  EXPECT_LE(changed, HeadMovesBytes(2));
}

TEST_F(HeadFileTest, WhatMovesEverythingIsWrittenWhole) {
  std::vector<Partition> all;
  for (uint16_t p = 0; p < kPartitions; ++p) all.push_back(Partition{p});
  Move({Partition{1}});
  Move(all);
  const auto whole = DecodeHeadRecord(Bytes());
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->generation, record_.generation);
}

TEST_F(HeadFileTest, ASyncLeavesAWholeRecordAndIsNotRepeated) {
  Move({Partition{1}});
  Move({Partition{2}});
  ASSERT_TRUE(file_->Sync(record_).ok());
  const std::string synced = Bytes();
  ASSERT_TRUE(file_->Sync(record_).ok()) << "there is nothing to sync";
  EXPECT_EQ(Bytes(), synced);
  EXPECT_EQ(DecodeHeadRecord(synced)->generation, record_.generation);
  for (int i = 0; i < 3; ++i) Move({Partition{3}});
  EXPECT_EQ(Bytes().substr(0, kHeadSlotBytes), synced.substr(0, kHeadSlotBytes)) << "the other slot is written now";
}

// A power cut may keep each sector as it was at any moment since the last sync.
TEST_F(HeadFileTest, WhateverAPowerCutKeepsTheSyncedHeadsAreThere) {
  constexpr size_t kSector = 512;
  for (const uint64_t seed : model::SlowSeeds(30)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20; ++i) MoveSome(random);
    ASSERT_TRUE(file_->Sync(record_).ok());
    const HeadRecord synced = record_;
    std::vector<std::string> moments = {Bytes()};
    const size_t writes = seed % 6 == 1 ? 900 : 1 + random() % 60;  // the most go round in the room for moves
    for (size_t i = 0; i < writes; ++i) {
      MoveSome(random);
      if (i + 12 >= writes || random() % 100 == 0) moments.push_back(Bytes());
    }
    for (int cut = 0; cut < 10; ++cut) {
      std::string left = moments.back();
      for (size_t at = 0; at < left.size(); at += kSector) {
        const std::string& moment =
            moments[cut % 2 == 0 ? random() % moments.size() : moments.size() - 1 - random() % 2];
        left.replace(at, kSector, moment, at, kSector);
      }
      const auto found = FindNewestHeads(left);
      ASSERT_TRUE(found.ok()) << found.status();
      ExpectBetween(synced, *found, record_);
    }
  }
}

TEST_F(HeadFileTest, DamageOfMovesIsRefusedOrCostsTheBrokenRecordAlone) {
  ASSERT_TRUE(file_->Sync(record_).ok());
  const HeadRecord synced = record_;
  Move({Partition{0}});
  constexpr size_t kRecords = 30;
  for (uint16_t i = 1; i <= kRecords; ++i) Move({Partition{i}});
  const std::string good = Bytes();
  const size_t area = kHeadWholeBytes;
  const size_t each = HeadMovesBytes(1);
  ASSERT_TRUE(DecodeHeadMoves(record_.store_id, std::string_view(good).substr(area))) << "they stand in the first slot";
  size_t refused = 0;
  for (size_t at = 0; at < kRecords * each; ++at) {
    std::string bad = good;
    bad[area + at] = static_cast<char>(bad[area + at] ^ (1 << at % 8));
    const auto found = FindNewestHeads(bad);
    if (!found.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(found.status()));
      ++refused;
      continue;
    }
    ExpectBetween(synced, *found, record_);
    const size_t broken = at / each;
    EXPECT_EQ(found->generation, broken + 1 == kRecords ? record_.generation - 1 : record_.generation) << at;
    for (size_t i = 0; i < kRecords; ++i) {
      EXPECT_EQ(found->heads[i + 1].stamp.sequence, i == broken ? 0u : 1u) << at;
    }
    const size_t end = (broken + 1) * each;
    const bool within_a_sector = broken != 0 && (broken * each) % 512 != 0 && (broken * each) / 512 == end / 512;
    EXPECT_FALSE(within_a_sector && broken + 1 != kRecords) << at << " is damage for certain";
  }
  EXPECT_GT(refused, kRecords * each / 2);
  for (size_t size = area; size < area + kRecords * each; size += 13) {
    const auto found = FindNewestHeads(std::string_view(good).substr(0, size));
    ASSERT_TRUE(found.ok()) << "a file that ends early";
    EXPECT_EQ(found->generation, record_.generation - kRecords + (size - area) / each);
  }
}

TEST_F(HeadFileTest, WithoutAnyWholeRecordItIsDamagedOrOfAnotherBuild) {
  Move({Partition{1}});
  std::string bytes = Bytes();
  for (const size_t slot : {size_t{0}, kHeadSlotBytes}) bytes[slot + 6] = '9';
  const auto rewrite = [this](const std::string& with) { std::ofstream(path_, std::ios::binary) << with; };
  rewrite(bytes);
  EXPECT_TRUE(absl::IsFailedPrecondition(HeadFile::Read(path_).status()));
  EXPECT_NE(std::string(HeadFile::Read(path_).status().message()).find("another build"), std::string::npos);
  for (const size_t slot : {size_t{0}, kHeadSlotBytes}) bytes[slot] = 'X';
  rewrite(bytes);
  EXPECT_TRUE(absl::IsDataLoss(HeadFile::Read(path_).status()));
  rewrite(bytes + "x");
  EXPECT_TRUE(absl::IsDataLoss(HeadFile::Read(path_).status()));
  rewrite("");
  EXPECT_TRUE(absl::IsDataLoss(HeadFile::Read(path_).status()));
}

}  // namespace
}  // namespace consent::store
