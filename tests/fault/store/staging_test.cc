// A staged copy, what is built outside of a running store, and what is read of a store that nobody writes to.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <utility>

#include "daemon/store/rocksdb/copy_store.h"
#include "daemon/store/rocksdb/frozen_rocks.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "daemon/store/rocksdb/store_builder.h"
#include "tests/support/store/clock.h"
#include "tests/support/temp_folder.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;
using store::Partition;
using store::Sequence;
using store::Table;

constexpr uint16_t kPartitions = 3;

using Rows = std::map<std::pair<uint16_t, std::string>, std::string>;

Rows RowsOf(const store::FrozenStore& frozen) {
  Rows rows;
  EXPECT_TRUE(frozen
                  .VisitRows([&](Partition partition, Table table, std::string_view key, std::string_view value) {
                    const std::string name = std::to_string(static_cast<int>(table)) + ":" + std::string(key);
                    rows[{partition.number, name}] = value;
                    return true;
                  })
                  .ok());
  return rows;
}

// The feeds as they lie there: each row's stamp and chain.
std::vector<std::pair<uint16_t, store::FeedRow>> FeedOf(const store::FrozenStore& frozen) {
  std::vector<std::pair<uint16_t, store::FeedRow>> rows;
  EXPECT_TRUE(frozen
                  .VisitFeed([&](Partition partition, Sequence, const std::optional<store::FeedRow>& row, size_t) {
                    EXPECT_TRUE(row.has_value());
                    if (row) rows.emplace_back(partition.number, *row);
                    return true;
                  })
                  .ok());
  return rows;
}

class StagingTest : public ::testing::Test {
 protected:
  StagingTest() { Open(); }
  ~StagingTest() override {
    if (store_ != nullptr) store_->Close();
  }

  store::RocksStore::Options Options(const std::string& name = "db") {
    store::RocksStore::Options options;
    options.db_path = folder_ / name;
    options.head_path = folder_ / (name + ".head");
    options.partitions = kPartitions;
    options.clock = &clock_;
    options.random = &random_;
    options.write_buffer_bytes = 4 << 20;
    return options;
  }
  void Open() {
    auto opened = store::RocksStore::Open(Options());
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  void Put(const std::string& key, const std::string& value, Table table = Table::kHold) {
    const Partition partition{static_cast<uint16_t>(rows_++ % kPartitions)};
    std::promise<store::Outcome> answered;
    store_->Commit(
        partition, {},
        [&](const store::Stamp&) {
          return store::Change{{{table, key, value}}, {"0123456789abcdef", "event of " + key, {}}};
        },
        [&](const store::CommitResult& result) { answered.set_value(result.outcome); });
    ASSERT_EQ(answered.get_future().get(), store::Outcome::kCommitted);
    expected_[{partition.number, std::to_string(static_cast<int>(table)) + ":" + key}] = value;
    keys_.push_back({partition, table, key});
  }
  void Fill(int rows) {
    for (int i = 0; i < rows; ++i) {
      constexpr Table kTables[] = {Table::kSubject, Table::kHold, Table::kTask, Table::kPolicy, static_cast<Table>(77)};
      Put("key " + std::to_string(rows_), "value " + std::to_string(rows_), kTables[rows_ % 5]);
    }
  }

  TempFolder folder_;
  ManualClock clock_;
  base::SystemRandom random_;
  std::unique_ptr<store::RocksStore> store_;
  int rows_ = 0;
  Rows expected_;
  struct Place {
    Partition partition;
    Table table;
    std::string key;
  };
  std::vector<Place> keys_;
};

// A log file's copy may lack its end (it is linked although not wholly synced), so nothing that was acknowledged before
// rests on one: without any of them all is there.
TEST_F(StagingTest, WhatWasAcknowledgedBeforeIsInItsTableFiles) {
  Fill(60);
  auto copy = store_->Stage();
  ASSERT_TRUE(copy.ok()) << copy.status();
  for (const auto& entry : fs::directory_iterator((*copy)->path())) {
    if (entry.path().extension() == ".log") fs::remove(entry.path());
  }
  const auto frozen = store::OpenFrozen((*copy)->path());
  ASSERT_TRUE(frozen.ok()) << frozen.status();
  EXPECT_EQ(RowsOf(**frozen), expected_);
  EXPECT_EQ(FeedOf(**frozen).size(), expected_.size());
}

TEST_F(StagingTest, ItIsConsistentWhateverIsWrittenMeanwhileAndGoesWithItsEnd) {
  Fill(30);
  auto copy = store_->Stage();
  ASSERT_TRUE(copy.ok()) << copy.status();
  const std::string path = (*copy)->path();
  const Rows before = expected_;
  Fill(30);
  {
    const auto frozen = store::OpenFrozen(path);
    ASSERT_TRUE(frozen.ok()) << frozen.status();
    EXPECT_EQ(RowsOf(**frozen), before);
    EXPECT_EQ((*frozen)->identity().store_id, store_->store_id());
    EXPECT_EQ((*frozen)->FirstOfFeed({0}).value(), 1U);
  }
  for (const auto& entry : fs::directory_iterator(path)) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("LOG")) << "reading writes nothing";
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(store_->Stage().status())) << "one at a time";
  copy->reset();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(store_->Stage().ok());
}

TEST_F(StagingTest, NothingIsSaidToBeErasedWhileACopyHoldsOldFiles) {
  Fill(30);
  const Place gone = keys_[4];
  auto copy = store_->Stage();
  ASSERT_TRUE(copy.ok()) << copy.status();
  ASSERT_TRUE(store_->Erase(gone.partition, {{gone.table, gone.key}}).ok());
  const store::EraseTargetsByPartition targets = {{gone.partition, {{{gone.table, gone.key}}, {}}}};
  EXPECT_TRUE(absl::IsUnavailable(store_->EraseFromFiles(targets)));
  copy->reset();
  EXPECT_TRUE(store_->EraseFromFiles(targets).ok());
  // A copy of afterwards does not have it in any file.
  auto later = store_->Stage();
  ASSERT_TRUE(later.ok()) << later.status();
  for (const auto& entry : fs::directory_iterator((*later)->path())) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(bytes.find("value 4"), std::string::npos) << entry.path();
  }
}

TEST_F(StagingTest, WhatAKilledProcessLeftTheNextStartRemoves) {
  Fill(10);
  store_->Close();
  store_.reset();
  const std::string staged = folder_ / "db.staged";
  for (const std::string& left : {staged, staged + ".tmp"}) {
    fs::create_directory(left);
    std::ofstream(left + "/000007.sst") << "bytes";
  }
  Open();
  EXPECT_FALSE(fs::exists(staged));
  EXPECT_FALSE(fs::exists(staged + ".tmp"));
  store_->Close();
  store_.reset();
  fs::create_directory(staged);
  std::ofstream(staged + "/somebody's.txt") << "not ours";
  EXPECT_TRUE(absl::IsFailedPrecondition(store::RocksStore::Open(Options()).status()));
  EXPECT_TRUE(fs::exists(staged + "/somebody's.txt"));
}

TEST_F(StagingTest, AStoreInUseIsReadByNobodyElse) {
  Fill(5);
  EXPECT_TRUE(absl::IsFailedPrecondition(store::OpenFrozenLocked(folder_ / "db", folder_ / "db.head").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(store::CompactStore(folder_ / "db")));
  store_->Close();
  store_.reset();
  const auto frozen = store::OpenFrozenLocked(folder_ / "db", folder_ / "db.head");
  ASSERT_TRUE(frozen.ok()) << frozen.status();
  EXPECT_EQ(RowsOf(**frozen), expected_);
  EXPECT_FALSE(store::RocksStore::Open(Options()).ok()) << "nor opened while it is read";
}

TEST_F(StagingTest, AnOlderCopyOfAStoreIsNotTakenForIt) {
  Fill(5);
  store_->Close();
  fs::copy(folder_ / "db", folder_ / "old", fs::copy_options::recursive);
  Open();
  Fill(5);
  store_->Close();
  store_.reset();
  EXPECT_TRUE(absl::IsFailedPrecondition(store::OpenFrozenLocked(folder_ / "old", folder_ / "db.head").status()));
  EXPECT_TRUE(store::OpenFrozenLocked(folder_ / "old", folder_ / "no.head").ok()) << "nothing tells of a newer one";
}

TEST_F(StagingTest, ACopyIsAnotherStoreWithTheSameRowsAndChains) {
  Fill(40);
  ASSERT_TRUE(store_->EraseFeed({1}, {2}).ok());
  ASSERT_TRUE(store_->TruncateFeed({2}, 4).ok());
  const auto head = store_->GetHead({0});
  const base::Bytes16 old_id = store_->store_id();
  store_->Close();
  store_.reset();
  const base::Bytes16 new_id = {9, 9, 9};
  {
    const auto frozen = store::OpenFrozenLocked(folder_ / "db", folder_ / "db.head");
    ASSERT_TRUE(frozen.ok()) << frozen.status();
    store::StoreIdentity identity = (*frozen)->identity();
    identity.store_id = new_id;
    fs::create_directory(folder_ / "taken");
    EXPECT_TRUE(absl::IsFailedPrecondition(
        store::CopyStoreTo(**frozen, identity, nullptr, folder_ / "taken", folder_ / "taken.head")));
    fs::create_directory(folder_ / "copy.copying");  // of a run that was killed
    std::ofstream(folder_ / "copy.copying/000009.sst") << "half";
    const absl::Status copied =
        store::CopyStoreTo(**frozen, identity, nullptr, folder_ / "copy", folder_ / "copy.head");
    ASSERT_TRUE(copied.ok()) << copied;
    EXPECT_FALSE(fs::exists(folder_ / "copy.copying"));
  }
  const auto was = store::OpenFrozen(folder_ / "db");
  const auto is = store::OpenFrozen(folder_ / "copy");
  ASSERT_TRUE(was.ok() && is.ok());
  EXPECT_EQ((*was)->identity().store_id, old_id) << "the old one is as it was";
  EXPECT_EQ((*is)->identity().store_id, new_id);
  EXPECT_EQ(RowsOf(**is), RowsOf(**was));
  const auto feed = FeedOf(**is);
  const auto old_feed = FeedOf(**was);
  ASSERT_EQ(feed.size(), old_feed.size());
  for (size_t i = 0; i < feed.size(); ++i) {
    EXPECT_EQ(feed[i].second.chain, old_feed[i].second.chain);
    EXPECT_EQ(feed[i].second.erased, old_feed[i].second.erased);
  }
  EXPECT_EQ((*is)->FirstOfFeed({2}).value(), 4U);
  auto opened = store::RocksStore::Open(Options("copy"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->store_id(), new_id);
  EXPECT_EQ((*opened)->GetHead({0}).stamp.sequence, head.stamp.sequence);
  EXPECT_EQ((*opened)->GetHead({0}).chain, head.chain);
}

TEST_F(StagingTest, AnAdoptedCopyIsAnotherStoreAndTakesMoreRows) {
  Fill(20);
  {
    auto copy = store_->Stage();
    ASSERT_TRUE(copy.ok());
    fs::copy((*copy)->path(), folder_ / "aside");
  }
  const base::Bytes16 new_id = {7};
  auto builder = store::StoreBuilder::Adopt(folder_ / "aside", new_id);
  ASSERT_TRUE(builder.ok()) << builder.status();
  const auto head = (*builder)->GetHead({0});
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->chain, store_->GetHead({0}).chain);
  const Place gone = keys_[0];
  ASSERT_TRUE((*builder)->Put(gone.partition, gone.table, gone.key, std::nullopt).ok());
  ASSERT_TRUE((*builder)->Put({0}, Table::kHold, "more", "value").ok());
  EXPECT_EQ((*builder)->Get({0}, Table::kHold, "more").value(), "value");
  EXPECT_TRUE(absl::IsNotFound((*builder)->Get(gone.partition, gone.table, gone.key).status()));
  store::FeedRow stub;
  stub.stamp = {head->stamp.sequence + 1, head->stamp.time + base::Seconds(1)};
  stub.chain = {1, 2, 3};
  stub.erased = true;
  ASSERT_TRUE((*builder)->PutFeed({0}, stub).ok());
  ASSERT_TRUE((*builder)->Finish(folder_ / "made", folder_ / "made.head").ok());
  builder->reset();
  auto opened = store::RocksStore::Open(Options("made"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->store_id(), new_id);
  EXPECT_EQ((*opened)->GetHead({0}).stamp.sequence, stub.stamp.sequence);
  EXPECT_EQ((*opened)->GetHead({0}).chain, stub.chain);
  EXPECT_TRUE(absl::IsNotFound((*opened)->Get(gone.partition, gone.table, gone.key).status()));
}

TEST_F(StagingTest, CompactingTakesNothingAway) {
  Fill(30);
  store_->Close();
  store_.reset();
  const absl::Status compacted = store::CompactStore(folder_ / "db");
  ASSERT_TRUE(compacted.ok()) << compacted;
  Open();
  store_->Close();
  const auto frozen = store::OpenFrozen(folder_ / "db");
  ASSERT_TRUE(frozen.ok());
  EXPECT_EQ(RowsOf(**frozen), expected_);
}

// Of the table files each byte counts: a flipped one is found where it is read, or it is one that no row lies in.
TEST_F(StagingTest, AFlippedByteOfATableFileNeverReadsAsAnotherRow) {
  Fill(60);
  store_->Close();
  store_.reset();
  ASSERT_TRUE(store::CompactStore(folder_ / "db").ok());
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder_ / "db")) {
    if (entry.path().extension() == ".sst") files.push_back(entry.path());
  }
  ASSERT_FALSE(files.empty());
  int found = 0;
  for (const fs::path& file : files) {
    const auto size = fs::file_size(file);
    for (uintmax_t at = 0; at < size; at += size / 24 + 1) {
      std::fstream io(file, std::ios::in | std::ios::out | std::ios::binary);
      io.seekg(static_cast<std::streamoff>(at));
      const char byte = static_cast<char>(io.get());
      const auto flip = [&](char value) {
        io.seekp(static_cast<std::streamoff>(at));
        io.put(value);
        io.flush();
      };
      flip(static_cast<char>(byte ^ 0x10));
      const auto frozen = store::OpenFrozen(folder_ / "db");
      bool is_found = !frozen.ok();
      if (frozen.ok()) {
        Rows rows;
        const absl::Status read =
            (*frozen)->VisitRows([&](Partition partition, Table table, std::string_view key, std::string_view value) {
              rows[{partition.number, std::to_string(static_cast<int>(table)) + ":" + std::string(key)}] = value;
              return true;
            });
        const absl::Status feed = (*frozen)->VisitFeed(
            [](Partition, Sequence, const std::optional<store::FeedRow>& row, size_t) { return row.has_value(); });
        is_found = !read.ok() || !feed.ok();
        if (!is_found) {
          EXPECT_EQ(rows, expected_) << file << " at " << at;
        }
      }
      found += is_found ? 1 : 0;
      flip(byte);
    }
  }
  EXPECT_GT(found, 20);
}

}  // namespace
}  // namespace consent::test
