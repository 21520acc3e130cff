// The decorator that fails on purpose does what it says, and nothing else.
#include "tests/support/store/faulty.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/support/store/clock.h"
#include "tests/support/store/memory.h"

namespace consent::test {
namespace {

using store::CommitResult;
using store::Outcome;
using store::Partition;
using store::Table;

class FaultyTest : public ::testing::Test {
 protected:
  CommitResult Put(store::Store& store, const std::string& key) {
    std::promise<CommitResult> answer;
    store.Commit(
        Partition{}, {},
        [&key](const store::Stamp&) {
          return store::Change{{{Table::kSubject, key, "v"}}, {}};
        },
        [&answer](const CommitResult& result) { answer.set_value(result); });
    return answer.get_future().get();
  }
  bool There(const std::string& key) { return inner_.Get(Partition{}, Table::kSubject, key).ok(); }

  ManualClock clock_;
  store::MemoryStore inner_{{1, {}, &clock_, 4096}};
};

TEST_F(FaultyTest, AScriptIsFollowed) {
  int failures = 0;
  FaultyStore faulty(inner_, {0, 0, 0, 0, 0, {Fault::kNone, Fault::kConflict, Fault::kRetry, Fault::kUnknownLost}},
                     [&failures](const absl::Status&) { ++failures; });
  EXPECT_EQ(Put(faulty, "a").outcome, Outcome::kCommitted);
  EXPECT_EQ(Put(faulty, "b").outcome, Outcome::kConflict);
  EXPECT_EQ(Put(faulty, "c").outcome, Outcome::kRetry);
  EXPECT_EQ(Put(faulty, "d").outcome, Outcome::kUnknown);
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(Put(faulty, "e").outcome, Outcome::kClosed);
  EXPECT_TRUE(absl::IsUnavailable(faulty.Get(Partition{}, Table::kSubject, "a").status()));
  EXPECT_TRUE(absl::IsUnavailable(faulty.Feed(Partition{}, 1, 1).status()));
  faulty.Reopen();
  EXPECT_TRUE(faulty.Get(Partition{}, Table::kSubject, "a").ok());
  for (const char* lost : {"b", "c", "d", "e"}) EXPECT_FALSE(There(lost)) << lost;
  faulty.Inject(Fault::kUnknownDone);
  EXPECT_EQ(Put(faulty, "f").outcome, Outcome::kUnknown);
  EXPECT_TRUE(There("f"));
  EXPECT_TRUE(faulty.failed());
  EXPECT_EQ(failures, 2);
}

TEST_F(FaultyTest, ProbabilitiesAreMetAndRepeatable) {
  const FaultyStore::Plan plan{77, 0.2, 0.2, 0.1, 0.1, {}};
  const auto run = [this, &plan] {
    FaultyStore faulty(inner_, plan);
    std::vector<Outcome> outcomes;
    for (int i = 0; i < 400; ++i) {
      outcomes.push_back(Put(faulty, "k").outcome);
      faulty.Reopen();
    }
    return outcomes;
  };
  const std::vector<Outcome> first = run();
  EXPECT_EQ(first, run());
  const auto share = [&first](Outcome outcome) {
    return static_cast<double>(std::count(first.begin(), first.end(), outcome)) / static_cast<double>(first.size());
  };
  EXPECT_NEAR(share(Outcome::kConflict), 0.2, 0.08);
  EXPECT_NEAR(share(Outcome::kRetry), 0.2, 0.08);
  EXPECT_NEAR(share(Outcome::kUnknown), 0.2, 0.08);
  EXPECT_NEAR(share(Outcome::kCommitted), 0.4, 0.1);
}

TEST_F(FaultyTest, SubscribersDoNotHearOfWhatIsUnknown) {
  struct Counter final : store::Subscriber {
    void OnCommitted(const store::Committed&) override { ++told; }
    std::atomic<int> told = 0;
  };
  Counter counter;
  FaultyStore faulty(inner_, {0, 0, 0, 0, 0, {Fault::kNone, Fault::kUnknownDone}});
  faulty.Subscribe(counter);
  EXPECT_EQ(Put(faulty, "a").outcome, Outcome::kCommitted);
  EXPECT_EQ(Put(faulty, "b").outcome, Outcome::kUnknown);
  EXPECT_TRUE(There("b"));
  EXPECT_EQ(counter.told, 1);
  faulty.Reopen();
  EXPECT_EQ(Put(faulty, "c").outcome, Outcome::kCommitted);
  EXPECT_EQ(counter.told, 2);
  faulty.Unsubscribe(counter);
}

TEST_F(FaultyTest, NeverAcknowledgesAfterAnUnknown) {
  FaultyStore faulty(inner_, {});
  std::vector<Outcome> outcomes;  // on the committer's thread
  faulty.Inject(Fault::kUnknownDone);
  std::promise<void> last;
  for (int i = 0; i < 50; ++i) {
    faulty.Commit(
        Partition{}, {}, [](const store::Stamp&) { return store::Change{}; },
        [&, i](const CommitResult& result) {
          if (result.outcome == Outcome::kCommitted) outcomes.push_back(result.outcome);
          if (i == 49) last.set_value();
        });
  }
  last.get_future().get();
  inner_.Close();
  EXPECT_TRUE(outcomes.empty());
}

}  // namespace
}  // namespace consent::test
