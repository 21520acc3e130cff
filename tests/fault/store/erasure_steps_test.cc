// Why EraseFromFiles has the steps that it has: each is left out once, and the same search that proves the whole finds
// what that leaves.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <random>
#include <utility>

#include "daemon/base/clock.h"
#include "daemon/store/rocksdb/rows.h"
#include "daemon/store/rocksdb/scrub.h"
#include "tests/fault/store/erasure.h"

namespace consent::test {
namespace {

using store::Partition;
using store::Table;

constexpr uint64_t kSeed = 20'241'102;

enum class Without { kNothing, kFlushOfAllFamilies, kRewriting, kNewManifest, kRemoval };

// Its time is the machine's, but a minute passes whenever it is asked after the table files have gone: the machine
// deletes them when it comes to it, and what stays for another reason need not be waited for.
class HastyClock final : public base::Clock {
 public:
  explicit HastyClock(std::function<bool()> have_gone) : have_gone_(std::move(have_gone)) {}

  base::Instant Now() const override { return machine_.Now(); }
  base::Span SinceBoot() const override {
    if (have_gone_()) skipped_ += base::Seconds(61).micros;
    return base::Span{machine_.SinceBoot().micros + skipped_};
  }

 private:
  base::SystemClock machine_;
  std::function<bool()> have_gone_;
  mutable int64_t skipped_ = 0;
};

// One table whose first row, a border of its file, is deleted and whose second is overwritten twice; beside it rows of
// another table that nobody means to erase, but whose changes share the log.
class ErasureSteps : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store::Database::Create(Options(), "meta", "value").ok());
    auto opened = store::Database::Open(Options());
    ASSERT_TRUE(opened.ok()) << opened.status();
    database_ = *std::move(opened);
    share_ = database_->table(Table::kKeyShare);
    std::mt19937_64 random(kSeed);
    for (int i = 0; i < 300; ++i) {
      const std::string key(1, static_cast<char>(i / 2));
      Put(share_, key + RandomBytes(random, 15), RandomBytes(random, 60));
      Put(database_->table(Table::kSubject), RandomBytes(random, 16), RandomBytes(random, 60));
      if (i == 1) deleted_ = keys_[0], overwritten_ = keys_[1];
    }
    if (overwritten_ < deleted_) std::swap(deleted_, overwritten_);
    rocksdb::CompactRangeOptions all;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    ASSERT_TRUE(database_->db().CompactRange(all, share_, nullptr, nullptr).ok());
    ASSERT_TRUE(database_->db().DisableFileDeletions().ok());
    rocksdb::VectorLogPtr waits_for_deletions;
    ASSERT_TRUE(database_->db().GetSortedWalFiles(waits_for_deletions).ok());
    ASSERT_TRUE(database_->db().EnableFileDeletions(false).ok());
    const std::string later = RandomBytes(random, 60);
    Put(share_, overwritten_, later);
    Put(share_, overwritten_, RandomBytes(random, 60));
    rocksdb::WriteBatch batch;
    batch.Delete(share_, OnDisk(deleted_));
    ASSERT_TRUE(database_->Write(batch).ok());
    Put(database_->table(Table::kSubject), RandomBytes(random, 16), RandomBytes(random, 60));
    former_.Note(deleted_, "key");
    former_.Note(values_[deleted_], "value");
    former_.Note(values_[overwritten_], "first value");
    former_.Note(later, "second value");
  }

  static std::string OnDisk(const std::string& key) { return store::DiskRowKey(Partition{}, Table::kKeyShare, key); }

  store::DatabaseOptions Options() { return {folder_ / "db", size_t{8} << 20, size_t{8} << 20, false}; }

  void Put(rocksdb::ColumnFamilyHandle* table, const std::string& key, const std::string& value) {
    rocksdb::WriteBatch batch;
    batch.Put(table, OnDisk(key), value);
    ASSERT_TRUE(database_->Write(batch).ok());
    if (table != share_) return;
    keys_.push_back(key);
    values_.emplace(key, value);  // the first one of each key
  }

  // What is in memory and at the top of the tree goes to `level`, as it does by itself in larger trees.
  void MoveTopTo(int level) {
    ASSERT_TRUE(database_->db().Flush(rocksdb::FlushOptions(), database_->all()).ok());
    rocksdb::ColumnFamilyMetaData tree;
    database_->db().GetColumnFamilyMetaData(share_, &tree);
    std::vector<std::string> files;
    for (const rocksdb::SstFileMetaData& file : tree.levels[0].files) files.push_back(file.relative_filename);
    ASSERT_TRUE(database_->db().CompactFiles(rocksdb::CompactionOptions(), share_, files, level).ok());
  }

  absl::Status Run(Without without) { return Run(without, {deleted_, overwritten_}); }
  absl::Status Run(Without without, const std::vector<std::string>& keys) {
    std::atomic<bool> stop = false;
    store::Scrubber scrubber(*database_, stop);
    absl::Status status = FlushAs(scrubber, without, share_);
    if (status.ok() && without != Without::kRewriting) {
      std::vector<std::string> rows;
      rows.reserve(keys.size());
      for (const std::string& key : keys) rows.push_back(OnDisk(key));
      status = scrubber.Rewrite(share_, std::move(rows));
    }
    if (status.ok()) status = scrubber.NoteFiles();
    if (status.ok() && without != Without::kNewManifest) {
      rocksdb::WriteBatch batch;
      batch.Put(database_->meta(), "meta", "value");
      status = database_->Write(batch);
      if (status.ok()) status = FlushAs(scrubber, without, database_->meta());
    }
    if (!status.ok() || without == Without::kRemoval) return status;
    if (without == Without::kNothing) return scrubber.AwaitRemoval(base::SystemClock());
    return scrubber.AwaitRemoval(HastyClock([this] { return FoundIn(".sst").empty(); }));
  }

  absl::Status FlushAs(store::Scrubber& scrubber, Without without, rocksdb::ColumnFamilyHandle* family) {
    if (without != Without::kFlushOfAllFamilies) return scrubber.Flush();
    return store::FromRocks(database_->db().Flush(rocksdb::FlushOptions(), family), "cannot flush");
  }

  // What is found, by the beginning or the end of the files' names.
  std::set<std::string> FoundIn(const std::string& kind) {
    std::set<std::string> all;
    for (const auto& [file, whats] : former_.FindIn(folder_.path())) {
      if (file.starts_with(kind) || file.ends_with(kind)) all.insert(whats.begin(), whats.end());
    }
    return all;
  }

  TempFolder folder_;
  std::unique_ptr<store::Database> database_;
  rocksdb::ColumnFamilyHandle* share_ = nullptr;
  std::vector<std::string> keys_;
  std::map<std::string, std::string> values_;
  std::string deleted_, overwritten_;
  Traces former_;
};

using Found = std::set<std::string>;

TEST_F(ErasureSteps, AllTogetherLeaveNothing) {
  EXPECT_EQ(FoundIn(".sst"), (Found{"key", "value", "first value"}));
  EXPECT_EQ(FoundIn(".log"), (Found{"key", "second value"})) << "before it";
  EXPECT_EQ(FoundIn("MANIFEST-"), Found{"key"});
  const absl::Status status = Run(Without::kNothing);
  ASSERT_TRUE(status.ok()) << status;
  ExpectNoTraces(former_, folder_.path(), "all steps");
}

// Another table's change keeps the log, and with it what was erased. The last step sees that it is there.
TEST_F(ErasureSteps, WithoutFlushingAllFamiliesTheLogStays) {
  EXPECT_TRUE(absl::IsUnavailable(Run(Without::kFlushOfAllFamilies)));
  EXPECT_EQ(FoundIn(".log"), (Found{"key", "second value"}));
  EXPECT_EQ(FoundIn(".sst"), Found{});
}

// A flush alone keeps one version of each row, of a deleted one the marker with its key; what is in older files stays.
TEST_F(ErasureSteps, WithoutRewritingTheTableFilesStay) {
  EXPECT_TRUE(Run(Without::kRewriting).ok());
  EXPECT_EQ(FoundIn(".sst"), (Found{"key", "value", "first value"}));
  EXPECT_EQ(FoundIn("MANIFEST-"), Found{"key"});
}

TEST_F(ErasureSteps, WithoutANewManifestTheBordersOfFilesStay) {
  EXPECT_TRUE(absl::IsUnavailable(Run(Without::kNewManifest)));
  EXPECT_EQ(FoundIn("MANIFEST-"), Found{"key"});
  EXPECT_EQ(FoundIn(".sst"), Found{});
}

TEST_F(ErasureSteps, WithoutWaitingARunningReadKeepsOldFiles) {
  const std::unique_ptr<rocksdb::Iterator> reading(database_->db().NewIterator(store::VerifiedReads(), share_));
  EXPECT_TRUE(Run(Without::kRemoval).ok());
  EXPECT_EQ(FoundIn(".sst"), (Found{"key", "value", "first value"}));
}

// Rows that share no file, neither below nor above: cleaning one does nothing for the others.
TEST_F(ErasureSteps, EachRowIsLookedAt) {
  std::mt19937_64 random(kSeed + 2);
  MoveTopTo(6);
  former_ = Traces();
  std::vector<std::string> apart;
  for (const char* prefix : {"\xa0", "\xb0", "\xc0"}) {
    for (const char* place : {"0", "1", "2"}) {
      const std::string key = std::string(prefix) + place + RandomBytes(random, 14);
      const std::string value = RandomBytes(random, 60);
      Put(share_, key, value);
      if (*place != '1') continue;
      apart.push_back(key);
      former_.Note(key, "key of " + std::to_string(apart.size()));
      former_.Note(value, "value of " + std::to_string(apart.size()));
    }
    MoveTopTo(6);
  }
  for (const std::string& key : apart) {
    rocksdb::WriteBatch batch;
    batch.Delete(share_, OnDisk(key));
    ASSERT_TRUE(database_->Write(batch).ok());
    MoveTopTo(5);
  }
  EXPECT_EQ(FoundIn(".sst").size(), 6u);
  const absl::Status status = Run(Without::kNothing, apart);
  ASSERT_TRUE(status.ok()) << status;
  ExpectNoTraces(former_, folder_.path(), "all steps");
}

// A marker in the middle of the tree, above a file that spans its key without having it: the engine's compaction of
// that key alone ends in the middle, and the marker, with the key, stays for the sake of the file below.
TEST_F(ErasureSteps, AMarkerAboveAFileWithoutItsKeyGoes) {
  std::mt19937_64 random(kSeed + 1);
  const std::string young = "\x40" + RandomBytes(random, 15);
  const std::string value = RandomBytes(random, 60);
  Put(share_, young, value);
  MoveTopTo(5);
  rocksdb::WriteBatch batch;
  batch.Delete(share_, OnDisk(young));
  ASSERT_TRUE(database_->Write(batch).ok());
  std::atomic<bool> stop = false;
  store::Scrubber alone(*database_, stop);
  ASSERT_TRUE(alone.Flush().ok());
  ASSERT_TRUE(alone.RewriteRange(share_, OnDisk(young), OnDisk(young)).ok());
  former_ = Traces();
  former_.Note(young, "key");
  former_.Note(value, "value");
  EXPECT_EQ(FoundIn(".sst"), Found{"key"}) << "one compaction is enough: then there is no need for more";
  const absl::Status status = Run(Without::kNothing, {young});
  ASSERT_TRUE(status.ok()) << status;
  ExpectNoTraces(former_, folder_.path(), "all steps");
}

}  // namespace
}  // namespace consent::test
