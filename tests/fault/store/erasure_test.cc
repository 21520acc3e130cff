// What EraseFromFiles promises, looked for in the files themselves: after it none of them holds what a row was, nor the
// key of one that is gone.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "rocksdb/sst_file_reader.h"
#include "tests/fault/store/erasure.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;
using store::Change;
using store::Partition;
using store::Table;

constexpr uint64_t kSeed = 20'241'101;

std::string ReadWhole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> TableFiles(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder / "db")) {
    if (entry.path().extension() == ".sst") names.insert(entry.path().filename());
  }
  return names;
}

// Without those of the store's own few rows, which are written anew with each EraseFromFiles and merged now and then.
std::set<std::string> RowFiles(const fs::path& folder) {
  std::set<std::string> names = TableFiles(folder);
  std::erase_if(names, [&folder](const std::string& name) {
    const auto keys = TableKeys(ReadWhole(folder / "db" / name));
    return keys && !keys->empty() && keys->back().starts_with("store");
  });
  return names;
}

bool AllIn(const std::set<std::string>& before, const std::set<std::string>& after) {
  return std::includes(after.begin(), after.end(), before.begin(), before.end());
}

// Rows at the bottom of the tree, rows in files above, rows in memory and log only; of each some are hurt, some of them
// twice, some before they ever reached a file.
void Age(History& history) {
  history.Fill(120);
  history.Reopen();  // what was in the log is in files
  history.Hurt(5);
  ASSERT_TRUE(history.EraseFromFiles().ok());  // and now at the bottom
  history.Fill(100);
  history.Hurt(5);
  history.Reopen();
  history.Hurt(10);
  history.Fill(80);
  history.Hurt(15);
}

class Erasure : public ::testing::Test {
 protected:
  explicit Erasure(uint64_t seed = kSeed) : seed_(__FILE__, __LINE__, "seed " + std::to_string(seed)), history_(seed) {
    Age(history_);
  }
  const testing::ScopedTrace seed_;
  History history_;
};

class ErasureSeeds : public Erasure, public ::testing::WithParamInterface<uint64_t> {
 protected:
  ErasureSeeds() : Erasure(GetParam()) {}
};

INSTANTIATE_TEST_SUITE_P(Seeds, ErasureSeeds, ::testing::Range(kSeed, kSeed + 2));

TEST_P(ErasureSeeds, LeavesNothingInTheFiles) {
  const absl::Status scrubbed = history_.EraseFromFiles();
  ASSERT_TRUE(scrubbed.ok()) << scrubbed;
  history_.ExpectScrubbed("after EraseFromFiles");
  history_.ExpectRows();
  history_.Reopen();
  history_.ExpectScrubbed("after reopening");
  history_.ExpectRows();
}

// The search finds what it is meant to find.
TEST_F(Erasure, WithoutItMuchIsLeft) {
  const auto found = history_.former().FindIn(history_.folder());
  bool log = false, table = false, manifest = false;
  for (const auto& [file, whats] : found) {
    log |= file.ends_with(".log");
    table |= file.ends_with(".sst");
    manifest |= file.starts_with("MANIFEST-");
  }
  EXPECT_TRUE(log && table && manifest) << Describe(found);
}

TEST_F(Erasure, LeavesNothingWhileTheStoreIsInUse) {
  std::atomic<bool> stop = false;
  std::atomic<int> commits = 0, scans = 0;
  std::vector<std::thread> users;
  users.reserve(3);
  for (int t = 0; t < 2; ++t) {
    users.emplace_back([&, t] {
      std::mt19937_64 random(kSeed * 100 + static_cast<uint64_t>(t));
      for (; !stop; ++commits) {
        const store::Event event{RandomBytes(random, 16), RandomBytes(random, 100), {}};
        CommitOrFail(history_.store(), Change{{{Table::kSubject, RandomBytes(random, 16), RandomBytes(random, 60)},
                                               {Table::kRequest, RandomBytes(random, 16), RandomBytes(random, 60)}},
                                              event});
      }
    });
  }
  users.emplace_back([&] {
    for (; !stop; ++scans) {
      const auto any = [](std::string_view, std::string_view) { return true; };
      EXPECT_TRUE(history_.store().Scan(Partition{}, Table::kSubject, "", "", SIZE_MAX, any).ok());
    }
  });
  for (int round = 0; round < 2; ++round) {
    const absl::Status scrubbed = history_.EraseFromFiles();
    EXPECT_TRUE(scrubbed.ok()) << scrubbed;
    ExpectNoTraces(history_.former(), history_.folder(), "in use, round " + std::to_string(round));
    history_.Fill(20);
    history_.Hurt(10);
  }
  stop = true;
  for (std::thread& user : users) user.join();
  EXPECT_GT(commits, 0);
  EXPECT_GT(scans, 0);
}

// So few files that the engine merges none by itself.
TEST(ErasureOfAYoungStore, LeavesNothingInTheFiles) {
  History history(kSeed);
  history.Fill(30);
  history.Reopen();
  history.Hurt(3);
  ASSERT_TRUE(history.EraseFromFiles().ok());
  history.ExpectScrubbed("after EraseFromFiles");
  history.ExpectRows();
}

// One call for rows and feed rows of several partitions, as those of a thousand are erased together.
TEST(ErasureOfManyPartitions, LeavesNothingInTheFiles) {
  History history(kSeed);
  std::mt19937_64 random(kSeed + 7);
  Traces former;
  store::EraseTargetsByPartition targets;
  for (const uint16_t number : {uint16_t{0}, uint16_t{5}, uint16_t{900}}) {
    const Partition partition{number};
    const std::string where = " in partition " + std::to_string(number);
    for (const Table table : {Table::kKeyShare, Table::kSubject, Table::kHold}) {
      const std::string key = RandomBytes(random, 16);
      const std::string value = RandomBytes(random, 60);
      store::Event event;
      event.body = RandomBytes(random, 80);
      const store::Sequence sequence = CommitOrFail(history.store(), Change{{{table, key, value}}, event}, partition);
      CommitOrFail(history.store(), Change{{{table, key, std::nullopt}}, {}}, partition);
      former.Note(key, "key" + where);
      former.Note(value, "value" + where);
      former.Note(event.body, "body" + where);
      targets[partition].rows.push_back({table, key});
      targets[partition].feed.push_back(sequence);
    }
    ASSERT_TRUE(history.store().EraseFeed(partition, targets[partition].feed).ok());
  }
  EXPECT_FALSE(former.FindIn(history.folder()).empty());
  ASSERT_TRUE(history.store().EraseFromFiles(targets).ok());
  ExpectNoTraces(former, history.folder(), "after EraseFromFiles");
}

// A whole table of several partitions, however many rows: as after a rotation of the keys that its rows lie under.
TEST(ErasureOfWholeTables, LeavesPresentValuesAlone) {
  History history(kSeed);
  std::mt19937_64 random(kSeed + 8);
  Traces former;
  store::EraseTargetsByPartition targets;
  std::map<std::pair<uint16_t, std::string>, std::string> present;
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    for (const uint16_t number : {uint16_t{0}, uint16_t{5}, uint16_t{900}}) {
      for (int i = 0; i < 40; ++i) {
        const std::string key = "row " + std::to_string(i);
        const std::string value = RandomBytes(random, 26);
        const bool goes = i == 0 && round == kRounds - 1;
        CommitOrFail(history.store(), Change{{{Table::kKeyShare, key, goes ? std::nullopt : std::optional(value)}}, {}},
                     Partition{number});
        std::string& before = present[{number, key}];
        if (!before.empty()) former.Note(before, "value of round " + std::to_string(round - 1));
        before = goes ? "" : value;
      }
      targets[Partition{number}].tables = {Table::kKeyShare};
    }
    history.Reopen();  // what was in the log is in files of its own
  }
  EXPECT_FALSE(former.FindIn(history.folder()).empty());
  ASSERT_TRUE(history.store().EraseFromFiles(targets).ok());
  ExpectNoTraces(former, history.folder(), "after EraseFromFiles");
  for (const auto& [place, value] : present) {
    const auto row = history.store().Get(Partition{place.first}, Table::kKeyShare, place.second);
    EXPECT_EQ(row.ok(), !value.empty());
    EXPECT_EQ(row.value_or(""), value);
  }
}

TEST_F(Erasure, OfErasedFeedRowsThatWereTruncatedToo) {
  ASSERT_TRUE(history_.store().TruncateFeed(Partition{}, 250).ok());
  ASSERT_TRUE(history_.EraseFromFiles().ok());
  ExpectNoTraces(history_.former(), history_.folder(), "after EraseFromFiles");
}

TEST_F(Erasure, TheSearchFollowsEveryEntryOfATableFile) {
  history_.Reopen();  // what was in the log is in files
  history_.Close();
  uint64_t entries = 0;
  for (const std::string& name : TableFiles(history_.folder())) {
    const fs::path path = history_.folder() / "db" / name;
    rocksdb::SstFileReader reader{rocksdb::Options()};
    ASSERT_TRUE(reader.Open(path).ok());
    const auto keys = TableKeys(ReadWhole(path));
    ASSERT_TRUE(keys.has_value());
    EXPECT_EQ(keys->size(), reader.GetTableProperties()->num_entries) << name;
    entries += keys->size();
  }
  EXPECT_GT(entries, 800u);
}

TEST_F(Erasure, ASecondTimeRewritesNothing) {
  const store::EraseTargets targets = history_.targets();
  ASSERT_TRUE(history_.EraseFromFiles().ok());
  const auto before = RowFiles(history_.folder());
  EXPECT_GE(before.size(), 4u);
  ASSERT_TRUE(history_.store().EraseFromFiles({{Partition{}, targets}}).ok());
  EXPECT_EQ(RowFiles(history_.folder()), before);
}

// A value that was overwritten before it reached a file is in the log only; flushing is enough.
TEST_F(Erasure, OfWhatOnlyTheLogHoldsRewritesNothing) {
  ASSERT_TRUE(history_.EraseFromFiles().ok());
  std::mt19937_64 random(kSeed + 100);
  const std::string key = RandomBytes(random, 16);
  const std::string value = RandomBytes(random, 60);
  CommitOrFail(history_.store(), Change{{{Table::kKeyShare, key, value}}, {}});
  CommitOrFail(history_.store(), Change{{{Table::kKeyShare, key, "another"}}, {}});
  Traces former;
  former.Note(value, "value");
  EXPECT_FALSE(former.FindIn(history_.folder()).empty());
  const auto before = RowFiles(history_.folder());
  ASSERT_TRUE(history_.store().EraseFromFiles({{Partition{}, {{{Table::kKeyShare, key}}, {}}}}).ok());
  ExpectNoTraces(former, history_.folder(), "after EraseFromFiles");
  EXPECT_TRUE(AllIn(before, RowFiles(history_.folder())));
}

// A row's block that cannot be read is not taken for one that holds nothing.
TEST_F(Erasure, ReportsWhatItCannotRead) {
  std::string key, value;
  ASSERT_TRUE(history_.EraseFromFiles().ok());
  ASSERT_TRUE(history_.store()
                  .Scan(Partition{}, Table::kKeyShare, "\x80", "", 1,
                        [&](std::string_view k, std::string_view v) {
                          key = k;
                          value = v;
                          return true;
                        })
                  .ok());
  history_.Close();
  int damaged = 0;
  for (const std::string& name : TableFiles(history_.folder())) {
    const fs::path path = history_.folder() / "db" / name;
    std::string bytes = ReadWhole(path);
    const size_t at = bytes.find(value);
    if (at == std::string::npos) continue;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    ++damaged;
  }
  ASSERT_EQ(damaged, 1);
  history_.Reopen();
  const absl::Status scrubbed = history_.store().EraseFromFiles({{Partition{}, {{{Table::kKeyShare, key}}, {}}}});
  EXPECT_TRUE(absl::IsUnavailable(scrubbed)) << scrubbed;
}

// A scan that stands still, and with it the files that it began with.
class StandingScan {
 public:
  explicit StandingScan(store::Store& store)
      : thread_([this, &store] {
          EXPECT_TRUE(store
                          .Scan(Partition{}, Table::kKeyShare, "", "", 1,
                                [this](std::string_view, std::string_view) {
                                  std::unique_lock<std::mutex> lock(mutex_);
                                  reached_ = true;
                                  changed_.notify_all();
                                  changed_.wait(lock, [this] { return ended_; });
                                  return false;
                                })
                          .ok());
        }) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return reached_; });
  }
  ~StandingScan() { End(); }
  void End() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
  bool ended_ = false;
  std::thread thread_;
};

// Moves the clock on until it is destroyed.
class PassingTime {
 public:
  explicit PassingTime(ManualClock& clock)
      : thread_([this, &clock] {
          while (!stop_) {
            clock.Advance(base::Seconds(1));
            std::this_thread::yield();
          }
        }) {}
  ~PassingTime() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_F(Erasure, AnEndlessReadIsReportedAndTheNextTrySucceeds) {
  StandingScan scan(history_.store());
  {
    const PassingTime time(history_.clock());
    const absl::Status scrubbed = history_.EraseFromFiles();
    ASSERT_TRUE(absl::IsUnavailable(scrubbed)) << scrubbed;
    EXPECT_NE(scrubbed.message().find("still being read"), std::string::npos) << scrubbed;
  }
  EXPECT_FALSE(history_.former().FindIn(history_.folder()).empty()) << "the scan's files are there";
  scan.End();
  ASSERT_TRUE(history_.EraseFromFiles().ok());
  history_.ExpectScrubbed("after the scan");
}

// Returns when a EraseFromFiles has come to its last step, and a scan keeps it there: only the scan's table files hold
// something.
void AwaitLastStep(const History& history) {
  const auto is_table = [](const auto& found) { return found.first.ends_with(".sst"); };
  for (;;) {
    const auto found = history.former().FindIn(history.folder());
    if (std::all_of(found.begin(), found.end(), is_table)) return;
  }
}

TEST_F(Erasure, WaitsForAReadThatEnds) {
  StandingScan scan(history_.store());
  absl::Status scrubbed = absl::UnknownError("not yet");
  std::thread scrubber([&] { scrubbed = history_.EraseFromFiles(); });
  AwaitLastStep(history_);
  scan.End();
  scrubber.join();
  ASSERT_TRUE(scrubbed.ok()) << scrubbed;
  history_.ExpectScrubbed("after the scan");
}

TEST_F(Erasure, ClosingEndsIt) {
  StandingScan scan(history_.store());
  absl::Status scrubbed;
  std::thread scrubber([&] { scrubbed = history_.EraseFromFiles(); });
  AwaitLastStep(history_);
  std::thread closer([&] { history_.store().Close(); });  // waits for the scan
  scrubber.join();
  EXPECT_TRUE(absl::IsUnavailable(scrubbed)) << scrubbed;
  scan.End();
  closer.join();
  history_.Reopen();
  ASSERT_TRUE(history_.EraseFromFiles().ok());
  history_.ExpectScrubbed("after reopening");
}

}  // namespace
}  // namespace consent::test
