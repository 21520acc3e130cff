// The committer with an engine that fails: what each commit of the group and behind it is told.
#include "daemon/store/committer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <numeric>
#include <vector>

#include "tests/support/store/clock.h"

namespace consent::store {
namespace {

// Holds Apply until released, then answers as told.
class ScriptedEngine final : public CommitEngine {
 public:
  absl::StatusOr<bool> Holds(Partition, const Precondition& precondition) override {
    if (precondition.key == "unreadable") return absl::UnavailableError("cannot read");
    return !precondition.expected.has_value();
  }
  absl::Status Apply(const std::vector<Prepared>& group) override {
    std::unique_lock<std::mutex> lock(mutex_);
    groups_.push_back(group.size());
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_ > 0; });
    --released_;
    return answer_;
  }
  void AwaitGroups(size_t n) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this, n] { return groups_.size() >= n; });
  }
  void Release(int n, absl::Status answer = absl::OkStatus()) {
    std::lock_guard<std::mutex> lock(mutex_);
    released_ += n;
    answer_ = std::move(answer);
    changed_.notify_all();
  }
  std::vector<size_t> groups() {
    std::lock_guard<std::mutex> lock(mutex_);
    return groups_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int released_ = 0;
  absl::Status answer_;
  std::vector<size_t> groups_;
};

class CountingSubscriber final : public Subscriber {
 public:
  void OnCommitted(const Committed&) override { ++told; }
  int told = 0;
};

class CommitterTest : public ::testing::Test {
 protected:
  CommitterTest() { Start(1024); }
  void Start(size_t max_group) {
    committer_.reset();
    Committer::Options options;
    options.clock = &clock_;
    options.max_group = max_group;
    options.max_queue = 100;
    options.on_failure = [this](const absl::Status&) { ++failures_; };
    options.heads.resize(1);
    committer_ = std::make_unique<Committer>(std::move(options), engine_);
  }
  void Commit(std::vector<Precondition> preconditions = {}, Change change = {}) {
    committer_->Commit(
        Partition{}, std::move(preconditions), [change](const Stamp&) { return change; },
        [this](const CommitResult& result) {
          std::lock_guard<std::mutex> lock(mutex_);
          outcomes_.push_back(result.outcome);
          answered_.notify_all();
        });
  }
  void AwaitAnswers(size_t n) {
    std::unique_lock<std::mutex> lock(mutex_);
    answered_.wait(lock, [this, n] { return outcomes_.size() >= n; });
  }
  // All answers, once everything is through.
  std::vector<Outcome> Outcomes() {
    committer_->Close();
    std::lock_guard<std::mutex> lock(mutex_);
    return outcomes_;
  }

  test::ManualClock clock_;
  ScriptedEngine engine_;
  std::atomic<int> failures_ = 0;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::vector<Outcome> outcomes_;
  std::unique_ptr<Committer> committer_;
};

TEST_F(CommitterTest, WhatWaitsSharesOneApply) {
  Commit();
  engine_.AwaitGroups(1);
  for (int i = 0; i < 50; ++i) Commit();
  engine_.Release(2);
  EXPECT_EQ(Outcomes(), std::vector<Outcome>(51, Outcome::kCommitted));
  EXPECT_EQ(engine_.groups(), (std::vector<size_t>{1, 50}));
}

TEST_F(CommitterTest, CommitsAndSyncsAreTimed) {
  const auto sum = [](const DurationCounts& counts) {
    return std::accumulate(counts.buckets.begin(), counts.buckets.end(), uint64_t{0});
  };
  EXPECT_EQ(sum(committer_->timings().commits), 0U);
  Commit();
  engine_.AwaitGroups(1);
  for (int i = 0; i < 7; ++i) Commit();
  EXPECT_EQ(committer_->timings().waiting, 7U) << "the first is under way";
  engine_.Release(2);
  AwaitAnswers(8);
  Commit({{Table::kSubject, "k", "not so"}});  // a conflict is no commit
  engine_.Release(1);
  EXPECT_EQ(Outcomes().size(), 9U);
  const CommitTimings timings = committer_->timings();
  EXPECT_EQ(sum(timings.commits), 8U);
  EXPECT_EQ(sum(timings.syncs), 2U) << "two groups had something to write";
  EXPECT_GE(timings.commits.sum_seconds, timings.syncs.sum_seconds);
  EXPECT_EQ(timings.waiting, 0U);
}

TEST(DurationsTest, EachFallsIntoTheFirstBoundThatItDoesNotExceed) {
  Durations durations;
  durations.Observe(std::chrono::microseconds(100));
  durations.Observe(std::chrono::microseconds(101));
  durations.Observe(std::chrono::seconds(60));
  const DurationCounts counts = durations.counts();
  EXPECT_EQ(counts.buckets.front(), 1U);
  EXPECT_EQ(counts.buckets[1], 1U);
  EXPECT_EQ(counts.buckets.back(), 1U);
  EXPECT_NEAR(counts.sum_seconds, 60.000201, 1e-9);
}

// The engine says of every row that it is not there.
TEST_F(CommitterTest, WhatTheGroupUnderWayWritesIsSeenByTheNextOne) {
  const auto put = [](const std::string& value) { return Change{{{Table::kSubject, "k", value}}, {}}; };
  const auto is = [](const std::string& value) { return std::vector<Precondition>{{Table::kSubject, "k", value}}; };
  Commit({}, put("1"));
  engine_.AwaitGroups(1);
  Commit(is("1"), put("2"));
  Commit(is("1"), put("3"));
  Commit(is("2"));
  std::promise<void> prepared;
  const auto build = [&](const Stamp&) {
    prepared.set_value();
    return Change{};
  };
  committer_->Commit(Partition{}, {}, build, [](const CommitResult&) {});
  prepared.get_future().wait();
  engine_.Release(2);
  EXPECT_EQ(Outcomes(),
            (std::vector<Outcome>{Outcome::kCommitted, Outcome::kCommitted, Outcome::kConflict, Outcome::kCommitted}));
  EXPECT_EQ(engine_.groups(), (std::vector<size_t>{1, 3}));
}

TEST_F(CommitterTest, WhatAnAppliedGroupWroteIsTheEnginesToSay) {
  engine_.Release(2);
  Commit({}, Change{{{Table::kSubject, "k", "1"}}, {}});
  AwaitAnswers(1);
  Commit({{Table::kSubject, "k", std::nullopt}});
  EXPECT_EQ(Outcomes(), std::vector<Outcome>(2, Outcome::kCommitted)) << "another writer may have erased it";
}

// The engine says of every row that it is not there: where it is asked, "k" conflicts.
TEST_F(CommitterTest, WhatNobodyWroteSinceIsNotReadAgain) {
  engine_.Release(100);
  const ReadVersion before = committer_->GetReadVersion();
  const std::vector<Precondition> as_seen = {{Table::kSubject, "k", "1", before}};
  Commit(as_seen);
  Commit({{Table::kSubject, "k", "1"}});
  Commit({}, Change{{{Table::kSubject, "another", "1"}}, {}});
  Commit(as_seen);
  AwaitAnswers(4);
  committer_->NoteErasure();
  Commit(as_seen);
  const std::vector<Precondition> as_seen_afterwards = {{Table::kSubject, "k", "1", committer_->GetReadVersion()}};
  Commit(as_seen_afterwards);
  Commit({}, Change{{{Table::kSubject, "k", "2"}}, {}});
  Commit(as_seen_afterwards);
  EXPECT_EQ(Outcomes(),
            (std::vector<Outcome>{Outcome::kCommitted, Outcome::kConflict, Outcome::kCommitted, Outcome::kCommitted,
                                  Outcome::kConflict, Outcome::kCommitted, Outcome::kCommitted, Outcome::kConflict}));
}

TEST_F(CommitterTest, GroupsAreBoundedByCountAndBytes) {
  Start(10);
  Commit();
  engine_.AwaitGroups(1);
  for (int i = 0; i < 25; ++i) Commit();
  for (int i = 0; i < 6; ++i) Commit({}, Change{{{Table::kSubject, "k", std::string(1'000'000, 'v')}}, {}});
  engine_.Release(100);
  EXPECT_EQ(Outcomes(), std::vector<Outcome>(32, Outcome::kCommitted));
  EXPECT_EQ(engine_.groups(), (std::vector<size_t>{1, 10, 10, 10, 1}))
      << "25 small ones and 6 of a megabyte, by ten or 4 MiB";
}

TEST_F(CommitterTest, AFailedWriteIsUnknownForItsGroupAndClosedBehindIt) {
  Start(3);
  CountingSubscriber subscriber;
  committer_->subscribers().Add(subscriber);
  Commit();
  engine_.AwaitGroups(1);
  Commit();                                    // second group
  Commit({{Table::kSubject, "k", "absent"}});  // a conflict within it
  Commit();
  Commit();  // third group
  engine_.Release(1);
  engine_.AwaitGroups(2);
  engine_.Release(1, absl::UnavailableError("disk"));
  const std::vector<Outcome> outcomes = Outcomes();
  EXPECT_EQ(outcomes[0], Outcome::kCommitted);
  EXPECT_EQ(outcomes[1], Outcome::kUnknown);
  EXPECT_EQ(outcomes[2], Outcome::kClosed) << "judged by a state that may never have been; nothing was written";
  EXPECT_EQ(outcomes[3], Outcome::kUnknown);
  committer_->subscribers().Remove(subscriber);
  EXPECT_EQ(subscriber.told, 1) << "what may not be durable is told to nobody";
  EXPECT_EQ(failures_, 1);
  EXPECT_TRUE(absl::IsUnavailable(committer_->Check()));
  EXPECT_EQ(committer_->GetHead(Partition{}).stamp.sequence, 1u);
}

TEST_F(CommitterTest, AfterAFailureEverythingIsClosed) {
  committer_->Fail(absl::UnavailableError("elsewhere"));
  committer_->Fail(absl::UnavailableError("again"));
  Commit();
  EXPECT_EQ(Outcomes(), std::vector<Outcome>{Outcome::kClosed});
  EXPECT_EQ(failures_, 1);
  EXPECT_TRUE(engine_.groups().empty());
}

TEST_F(CommitterTest, AnUnreadableRowTurnsAwayItsCommitAlone) {
  Commit();
  engine_.AwaitGroups(1);
  Commit({{Table::kSubject, "unreadable", std::nullopt}});
  Commit();
  engine_.Release(2);
  EXPECT_EQ(Outcomes(), (std::vector<Outcome>{Outcome::kCommitted, Outcome::kRetry, Outcome::kCommitted}));
  EXPECT_EQ(failures_, 0);
}

TEST_F(CommitterTest, AFullQueueAnswersAtOnce) {
  Commit();
  engine_.AwaitGroups(1);
  for (int i = 0; i < 101; ++i) Commit();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_EQ(outcomes_, std::vector<Outcome>{Outcome::kRetry});
  }
  engine_.Release(100);
  EXPECT_EQ(Outcomes().size(), 102u);
}

}  // namespace
}  // namespace consent::store
