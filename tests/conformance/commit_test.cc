// What one commit does, and what it refuses.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "tests/conformance/suite.h"

namespace consent::test {
namespace {

using store::Change;
using store::CommitResult;
using store::Outcome;
using store::Stamp;
using store::Table;

TEST_P(Conformance, StartsEmpty) {
  EXPECT_EQ(db().partition_count(), GetParam().partitions);
  EXPECT_EQ(db().GetHead(last()).stamp.sequence, 0u);
  EXPECT_EQ(db().GetHead(last()).chain, base::Digest{});
  EXPECT_TRUE(WholeFeed().empty());
  EXPECT_EQ(Value("a"), "<none>");
  EXPECT_TRUE(ScanAll("", "", 10).empty());
}

TEST_P(Conformance, NumbersCommitsWithoutGapsPerPartition) {
  for (uint64_t n = 1; n <= 20; ++n) {
    const CommitResult result = Put("k", std::to_string(n));
    ASSERT_EQ(result.outcome, Outcome::kCommitted);
    EXPECT_EQ(result.stamp.sequence, n);
    EXPECT_EQ(db().GetHead(last()).stamp.sequence, n);
  }
  for (uint16_t p = 0; p < last().number; ++p) EXPECT_EQ(db().GetHead(store::Partition{p}).stamp.sequence, 0u);
}

TEST_P(Conformance, RefusedCommitsTakeNoNumber) {
  ASSERT_EQ(Put("k", "1").outcome, Outcome::kCommitted);
  EXPECT_EQ(Commit({{Table::kSubject, "k", "other"}}, {}).outcome, Outcome::kConflict);
  EXPECT_EQ(Commit({}, Change{{{Table::kSubject, "k", std::string(store::kMaxCommitBytes + 1, 'x')}}, {}}).outcome,
            Outcome::kTooLarge);
  EXPECT_EQ(Put("k", "2").stamp.sequence, 2u);
}

TEST_P(Conformance, TimeGrowsWhenTheClockStandsStillOrGoesBack) {
  const base::Instant start = clock().Now();
  EXPECT_EQ(Put("k", "1").stamp.time, start);
  EXPECT_EQ(Put("k", "2").stamp.time, start + base::Microseconds(1));
  clock().Set(start - base::Hours(1));
  EXPECT_EQ(Put("k", "3").stamp.time, start + base::Microseconds(2));
  clock().Set(start + base::Seconds(1));
  EXPECT_EQ(Put("k", "4").stamp.time, start + base::Seconds(1));
  EXPECT_EQ(db().GetHead(last()).stamp.time, start + base::Seconds(1));
}

TEST_P(Conformance, PreconditionAbsent) {
  EXPECT_EQ(Commit({{Table::kSubject, "k", std::nullopt}}, Change{{{Table::kSubject, "k", "1"}}, {}}).outcome,
            Outcome::kCommitted);
  EXPECT_EQ(Commit({{Table::kSubject, "k", std::nullopt}}, Change{{{Table::kSubject, "k", "2"}}, {}}).outcome,
            Outcome::kConflict);
  EXPECT_EQ(Commit({{Table::kNames, "k", std::nullopt}}, Change{{{Table::kNames, "k", "other table"}}, {}}).outcome,
            Outcome::kCommitted);
  EXPECT_EQ(Value("k"), "1");
}

TEST_P(Conformance, PreconditionEqual) {
  Put("k", "1");
  Put("empty", "");
  EXPECT_EQ(Commit({{Table::kSubject, "k", "0"}}, Change{{{Table::kSubject, "k", "2"}}, {}}).outcome,
            Outcome::kConflict);
  EXPECT_EQ(Commit({{Table::kSubject, "k", "11"}}, {}).outcome, Outcome::kConflict);
  EXPECT_EQ(Commit({{Table::kSubject, "k", ""}}, {}).outcome, Outcome::kConflict);
  EXPECT_EQ(Commit({{Table::kSubject, "none", ""}}, {}).outcome, Outcome::kConflict)
      << "an absent row is not an empty one";
  EXPECT_EQ(Commit({{Table::kSubject, "empty", std::nullopt}}, {}).outcome, Outcome::kConflict);
  EXPECT_EQ(
      Commit({{Table::kSubject, "empty", ""}, {Table::kSubject, "k", "1"}}, Change{{{Table::kSubject, "k", "2"}}, {}})
          .outcome,
      Outcome::kCommitted);
  EXPECT_EQ(Value("k"), "2");
}

TEST_P(Conformance, WhatWasSeenHoldsOnlyUntilSomebodyWritesIt) {
  auto before = db().GetReadVersion(last());
  Put("k", "1");
  EXPECT_EQ(Commit({{Table::kSubject, "k", std::nullopt, before}}, {}).outcome, Outcome::kConflict) << "written since";
  before = db().GetReadVersion(last());
  EXPECT_EQ(Value("k"), "1");
  EXPECT_EQ(Commit({{Table::kSubject, "k", "1", before}}, Change{{{Table::kSubject, "k", "2"}}, {}}).outcome,
            Outcome::kCommitted);
  EXPECT_EQ(Commit({{Table::kSubject, "k", "1", before}}, {}).outcome, Outcome::kConflict)
      << "written by the one before";
  before = db().GetReadVersion(last());
  ASSERT_TRUE(db().Erase(last(), {{Table::kSubject, "k"}}).ok());
  EXPECT_EQ(Commit({{Table::kSubject, "k", "2", before}}, {}).outcome, Outcome::kConflict) << "erased since";
  before = db().GetReadVersion(last());
  EXPECT_EQ(Commit({{Table::kSubject, "k", std::nullopt, before}}, {}).outcome, Outcome::kCommitted);
}

TEST_P(Conformance, AllOrNothing) {
  Put("a", "1");
  const Change change{{{Table::kSubject, "a", "2"}, {Table::kNames, "b", "2"}, {Table::kSubject, "c", std::nullopt}},
                      {}};
  EXPECT_EQ(Commit({{Table::kSubject, "a", "1"}, {Table::kNames, "b", "absent"}}, change).outcome, Outcome::kConflict);
  EXPECT_EQ(Value("a"), "1");
  EXPECT_EQ(Value("b", Table::kNames), "<none>");
  EXPECT_EQ(Commit({{Table::kSubject, "a", "1"}, {Table::kNames, "b", std::nullopt}}, change).outcome,
            Outcome::kCommitted);
  EXPECT_EQ(Value("a"), "2");
  EXPECT_EQ(Value("b", Table::kNames), "2");
}

TEST_P(Conformance, TheLastWriteToARowWins) {
  Commit({},
         Change{{{Table::kSubject, "a", "1"}, {Table::kSubject, "a", std::nullopt}, {Table::kSubject, "a", "3"}}, {}});
  EXPECT_EQ(Value("a"), "3");
  Commit({}, Change{{{Table::kSubject, "a", "4"}, {Table::kSubject, "a", std::nullopt}}, {}});
  EXPECT_EQ(Value("a"), "<none>");
}

TEST_P(Conformance, BuildSeesTheStampThatIsAnswered) {
  const CommitResult result = CommitBuilt({}, [](const Stamp& stamp) {
    return Change{{{Table::kSubject, "at", std::to_string(stamp.sequence) + "@" + std::to_string(stamp.time.micros)}},
                  {}};
  });
  EXPECT_EQ(Value("at"), std::to_string(result.stamp.sequence) + "@" + std::to_string(result.stamp.time.micros));
}

TEST_P(Conformance, Limits) {
  const std::string longest(store::kMaxKeyBytes, 'k');
  EXPECT_EQ(Put(longest, "v").outcome, Outcome::kCommitted);
  EXPECT_EQ(Put(longest + "k", "v").outcome, Outcome::kTooLarge);
  EXPECT_EQ(Commit({{Table::kSubject, longest + "k", std::nullopt}}, {}).outcome, Outcome::kTooLarge);
  // 32 bytes of commitment and one of key count too.
  const size_t rest = store::kMaxCommitBytes - 32 - 1;
  EXPECT_EQ(Commit({}, Change{{{Table::kSubject, "k", std::string(rest, 'v')}}, {}}).outcome, Outcome::kCommitted);
  EXPECT_EQ(Commit({}, Change{{{Table::kSubject, "k", std::string(rest + 1, 'v')}}, {}}).outcome, Outcome::kTooLarge);
  store::Event odd;
  odd.subject = "not sixteen bytes";
  EXPECT_EQ(Commit({}, Change{{}, odd}).outcome, Outcome::kTooLarge);
  EXPECT_EQ(Value("k").size(), rest);
}

// Holds the committer inside a Build, so that what is queued meanwhile becomes one group.
class Gate {
 public:
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    reached_ = true;
    condition_.notify_all();
    condition_.wait(lock, [this] { return open_; });
  }
  void AwaitReached() {
    std::unique_lock<std::mutex> lock(mutex_);
    condition_.wait(lock, [this] { return reached_; });
  }
  void Open() {
    std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    condition_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool reached_ = false;
  bool open_ = false;
};

TEST_P(Conformance, LaterCommitsOfAGroupSeeEarlierOnes) {
  Put("counter", "0");
  Gate gate;
  std::promise<void> first;
  db().Commit(
      last(), {},
      [&gate](const Stamp&) {
        gate.Wait();
        return Change{};
      },
      [&first](const CommitResult&) { first.set_value(); });
  gate.AwaitReached();

  // 0 → 1 → deleted → 2, with a conflict in between; all wait in the queue together.
  struct Step {
    std::optional<std::string> expected, next;
    Outcome outcome;
  };
  const std::vector<Step> steps = {{"0", "1", Outcome::kCommitted},
                                   {"0", "9", Outcome::kConflict},
                                   {"1", std::nullopt, Outcome::kCommitted},
                                   {"1", "9", Outcome::kConflict},
                                   {std::nullopt, "2", Outcome::kCommitted}};
  std::vector<std::promise<CommitResult>> answers(steps.size());
  const auto seen = db().GetReadVersion(last());
  for (size_t i = 0; i < steps.size(); ++i) {
    db().Commit(
        last(), {{Table::kSubject, "counter", steps[i].expected, seen}},
        [next = steps[i].next](const Stamp&) {
          return Change{{{Table::kSubject, "counter", next}}, {}};
        },
        [&answer = answers[i]](const CommitResult& result) { answer.set_value(result); });
  }
  gate.Open();
  first.get_future().get();
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(answers[i].get_future().get().outcome, steps[i].outcome) << i;
  EXPECT_EQ(Value("counter"), "2");
  EXPECT_EQ(db().GetHead(last()).stamp.sequence, 5u);
}

TEST_P(Conformance, DoneComesInOrderAndAfterTheCommitIsVisible) {
  constexpr int kCommits = 500;
  std::vector<store::Sequence> order;  // touched on the committer's thread only, read after the last Done
  std::promise<void> finished;
  std::atomic<int> invisible = 0;
  for (int i = 0; i < kCommits; ++i) {
    const std::string key = "k" + std::to_string(i);
    db().Commit(
        last(), {},
        [key](const Stamp&) {
          return Change{{{Table::kSubject, key, "v"}}, SomeEvent(key)};
        },
        [&, key](const CommitResult& result) {
          ASSERT_EQ(result.outcome, Outcome::kCommitted);
          if (!db().Get(last(), Table::kSubject, key).ok()) ++invisible;
          if (db().GetHead(last()).stamp.sequence < result.stamp.sequence) ++invisible;
          order.push_back(result.stamp.sequence);
          if (order.size() == kCommits) finished.set_value();
        });
  }
  finished.get_future().get();
  EXPECT_EQ(invisible, 0);
  for (size_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], i + 1);
}

TEST_P(Conformance, AFullQueueAsksToTryAgain) {
  Gate gate;
  std::promise<void> first;
  db().Commit(
      last(), {},
      [&gate](const Stamp&) {
        gate.Wait();
        return Change{};
      },
      [&first](const CommitResult&) { first.set_value(); });
  gate.AwaitReached();
  std::atomic<int> retries = 0, committed = 0;
  constexpr int kTries = 20'000;
  for (int i = 0; i < kTries; ++i) {
    db().Commit(
        last(), {}, [](const Stamp&) { return Change{}; },
        [&](const CommitResult& result) { ++(result.outcome == Outcome::kRetry ? retries : committed); });
  }
  EXPECT_GT(retries, 0);
  gate.Open();
  first.get_future().get();
  db().Close();
  EXPECT_EQ(retries + committed, kTries);
}

TEST_P(Conformance, CloseFinishesWhatIsQueuedAndTakesNothingMore) {
  std::atomic<int> committed = 0, other = 0;
  for (int i = 0; i < 100; ++i) {
    db().Commit(
        last(), {},
        [i](const Stamp&) {
          return Change{{{Table::kSubject, std::to_string(i), "v"}}, {}};
        },
        [&](const CommitResult& result) { ++(result.outcome == Outcome::kCommitted ? committed : other); });
  }
  db().Close();
  db().Close();
  EXPECT_EQ(committed, 100);
  EXPECT_EQ(other, 0);
  EXPECT_EQ(Put("late", "v").outcome, Outcome::kClosed);
  EXPECT_TRUE(absl::IsUnavailable(db().Get(last(), Table::kSubject, "1").status()));
  EXPECT_TRUE(absl::IsUnavailable(db().Feed(last(), 1, 1).status()));
  EXPECT_TRUE(absl::IsUnavailable(db().Erase(last(), {{Table::kSubject, "1"}})));
  if (harness().Reopen()) {
    EXPECT_EQ(ScanAll("", "", 1000).size(), 100u);
    EXPECT_EQ(Put("late", "v").stamp.sequence, 101u);
  }
}

TEST_P(Conformance, RefusesPartitionsThatDoNotExist) {
  const store::Partition beyond{GetParam().partitions};
  EXPECT_TRUE(absl::IsInvalidArgument(db().Get(beyond, Table::kSubject, "k").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(db().Get(last(), Table{0}, "k").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(db().Feed(beyond, 1, 1).status()));
  Outcome outcome = Outcome::kUnknown;
  db().Commit(
      beyond, {}, [](const Stamp&) { return Change{}; }, [&](const CommitResult& r) { outcome = r.outcome; });
  EXPECT_EQ(outcome, Outcome::kClosed);
}

}  // namespace
}  // namespace consent::test
