// What every partition must have, such as a policy's activation, is committed to 1,024 partitions at once: they share
// syncs.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <iterator>
#include <mutex>

#include "daemon/base/random.h"
#include "daemon/store/rocksdb/head_record.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "tests/fault/store/scenario.h"
#include "tests/fault/store/slow_sync.h"
#include "tests/support/store/clock.h"
#include "tests/support/temp_folder.h"

namespace consent::test {
namespace {

using store::Outcome;
using store::Table;

constexpr uint16_t kPartitions = 1024;

std::string ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ManyPartitions : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }
  void TearDown() override { SlowDownSyncs(0); }

  void Open() {
    store_.reset();
    auto opened = OpenCopy(folder_ / "db", folder_ / "head");
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  absl::StatusOr<std::unique_ptr<store::RocksStore>> OpenCopy(const std::string& database, const std::string& head) {
    store::RocksStore::Options options;
    options.db_path = database;
    options.head_path = head;
    options.partitions = kPartitions;
    options.clock = &clock_;
    options.random = &random_;
    return store::RocksStore::Open(options);
  }
  // One change, which moves one partition.
  void CommitTo(uint16_t number) {
    std::promise<Outcome> outcome;
    store_->Commit(
        store::Partition{number}, {}, [](const store::Stamp&) { return store::Change{}; },
        [&outcome](const store::CommitResult& result) { outcome.set_value(result.outcome); });
    EXPECT_EQ(outcome.get_future().get(), Outcome::kCommitted);
  }

  // Submits one change to each partition, as what has to be everywhere does: a row that is compared and replaced, and
  // an event. Waits for all answers; `in_build` runs in each Build, `when_queued` once all are submitted.
  void CommitToAll(int version, const std::function<void()>& in_build = {},
                   const std::function<void()>& when_queued = {}) {
    std::mutex mutex;
    std::condition_variable done;
    size_t committed = 0, others = 0;
    for (uint16_t number = 0; number < kPartitions; ++number) {
      std::optional<std::string> expected;
      if (version > 1) expected = Row(version - 1);
      store_->Commit(
          store::Partition{number}, {{Table::kPolicy, "in force", expected}},
          [version, &in_build](const store::Stamp&) {
            if (in_build) in_build();
            return store::Change{{{Table::kPolicy, "in force", Row(version)}}, store::Event{{}, Row(version), {}}};
          },
          [&](const store::CommitResult& result) {
            const std::lock_guard<std::mutex> lock(mutex);
            ++(result.outcome == Outcome::kCommitted ? committed : others);
            if (committed + others == kPartitions) done.notify_all();
          });
    }
    if (when_queued) when_queued();
    std::unique_lock<std::mutex> lock(mutex);
    done.wait(lock, [&] { return committed + others == kPartitions; });
    EXPECT_EQ(committed, kPartitions);
  }
  static std::string Row(int version) { return std::to_string(version) + std::string(100, 'v'); }

  TempFolder folder_;
  ManualClock clock_;
  base::SystemRandom random_;
  std::unique_ptr<store::RocksStore> store_;
};

// The first commit holds the preparing thread until all are queued.
TEST_F(ManyPartitions, ThatWaitTogetherShareOneSync) {
  std::promise<void> queued;
  const std::shared_future<void> all = queued.get_future().share();
  const uint64_t before = SyncsOfLogs();
  CommitToAll(
      1, [all] { all.wait(); }, [&queued] { queued.set_value(); });
  EXPECT_EQ(SyncsOfLogs() - before, 1u);
}

// Where records of moves stand that no whole record has overtaken, at least three in one sector's reach; 0: none do.
size_t FindMoves(const std::string& head) {
  for (const size_t slot : {size_t{0}, store::kHeadSlotBytes}) {
    if (head.size() != 2 * store::kHeadSlotBytes) continue;
    const auto whole = store::DecodeHeadRecord(std::string_view(head).substr(slot));
    const auto newest = store::FindNewestHeads(head);
    if (!whole || !newest.ok() || newest->generation < whole->generation + 3) continue;
    const size_t at = slot + store::kHeadWholeBytes;
    const auto first = store::DecodeHeadMoves(whole->store_id, std::string_view(head).substr(at));
    if (first && first->generation == whole->generation + 1) return at;
  }
  return 0;
}

// What only the moves tell is believed as the whole record is: an old copy of the database is refused by it, and so is
// a damaged one of them before others.
TEST_F(ManyPartitions, TheHeadFileTellsOfWhatMovedSinceItsWholeRecord) {
  CommitToAll(1);
  const std::string database = folder_ / "db";
  CopyFolder(database, folder_ / "old");
  std::string head;
  // A sync, each second, writes a whole record.
  for (int round = 0; FindMoves(head) == 0; ++round) {
    ASSERT_LT(round, 200);
    for (const uint16_t number : {700, 3, 700, 1023}) CommitTo(number);
    head = ReadWhole(folder_ / "head");
  }
  const auto open = [&](const std::string& with, const std::string& from) {
    CopyFolder(from, folder_ / "copy");
    std::ofstream(folder_ / "copy.head", std::ios::binary | std::ios::trunc) << with;
    std::filesystem::permissions(folder_ / "copy.head",
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return OpenCopy(folder_ / "copy", folder_ / "copy.head").status();
  };
  const size_t moves = FindMoves(head);
  EXPECT_TRUE(open(head, database).ok());
  const absl::Status old = open(head, folder_ / "old");
  EXPECT_TRUE(absl::IsFailedPrecondition(old)) << old;
  EXPECT_NE(std::string(old.message()).find("partition 700: changes "), std::string::npos) << old;
  std::string damaged = head;
  damaged[moves + store::HeadMovesBytes(1) + 30] ^= 1;  // the second of them, in the first sector as those beside it
  const absl::Status refused = open(damaged, database);
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  damaged = head;
  damaged[moves + 30] ^= 1;  // the first could be what a power cut left
  EXPECT_TRUE(open(damaged, database).ok());
}

// Bound: the processor's time and the syncs. Both are counted, because other work may hold up the clock on the wall.
TEST_F(ManyPartitions, TakeATenthOfASecondAlsoWhereASyncTakesAMillisecond) {
  int version = 0;
  for (const int64_t slower : {0, 1000}) {
    SlowDownSyncs(slower);
    constexpr int kRounds = 7;
    double best = 1e9, best_cpu = 1e9;
    uint64_t most = 0;
    for (int round = 0; round < kRounds; ++round) {
      const uint64_t syncs = SyncsOfLogs();
      const auto began = std::chrono::steady_clock::now();
      const std::clock_t cpu = std::clock();
      CommitToAll(++version);
      best_cpu = std::min(best_cpu, 1000.0 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
      best = std::min(best, took.count());
      most = std::max(most, SyncsOfLogs() - syncs);
    }
    std::cout << "1,024 commits, syncs slower by " << slower << " us: at best " << best << " ms, " << best_cpu
              << " ms of them the processor's; at most " << most << " syncs\n";
    EXPECT_LE(best_cpu + static_cast<double>(most * slower) / 1000, 100.0);
  }
  Open();
  for (const uint16_t number : {0, 1, 511, 1023}) {
    EXPECT_EQ(store_->GetHead(store::Partition{number}).stamp.sequence, static_cast<store::Sequence>(version));
    EXPECT_EQ(store_->Get(store::Partition{number}, Table::kPolicy, "in force").value_or("<none>"), Row(version));
  }
}

}  // namespace
}  // namespace consent::test
