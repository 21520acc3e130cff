// A subject with more separate deletions of times than its record holds.
#include <gtest/gtest.h>

#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::Purpose;
using service::DeletionPlace;
using service::DeletionStep;

constexpr int kMany = static_cast<int>(domain::kMaxTombstones) + 40;

// Whether the index has room for what lies beside the record, or each check reads it from the store.
class ManyDeletions : public testing::TestWithParam<uint64_t> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.Register("a", "DE").ok());
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
    first = world.Now() - base::Days(60);
  }

  // The n-th day's first hour.
  domain::Selector Hour(int n) const { return Within(first + base::Days(n), first + base::Days(n) + base::Hours(1)); }
  std::string InIt(int n) const { return Answer(first + base::Days(n) + base::Seconds(1800)); }
  std::string AfterIt(int n) const { return Answer(first + base::Days(n) + base::Hours(12)); }
  std::string Answer(base::Instant at) const { return Text(world.Check("a", Recording(at))); }

  static World::Options With(uint64_t max_subjects) {
    World::Options options;
    options.max_subjects = max_subjects;
    return options;
  }

  World world{With(GetParam())};
  Deleting deleting{world};
  base::Instant first;
};

TEST_P(ManyDeletions, EachCountsAndNothingElse) {
  for (int n = 0; n < kMany; ++n) {
    deleting.Ask("a", Hour(n - kMany + 55), n % 2 == 0 ? DeletionState::kAccepted : DeletionState::kReceived);
  }
  const domain::SubjectFacts facts = world.Facts("a");
  EXPECT_TRUE(facts.has_more_tombstones);
  EXPECT_TRUE(facts.tombstones.empty());
  for (const bool again : {false, true}) {
    for (int n = 0; n < kMany; ++n) {
      const int day = n - kMany + 55;
      ASSERT_EQ(InIt(day), n % 2 == 0 ? "PURGE no: DELETED" : "KEEP no: DELETION_PENDING") << n;
      ASSERT_EQ(AfterIt(day), "KEEP yes: CONSENT") << n;
    }
    Recording without_time{base::Instant{}};
    EXPECT_EQ(world.Check("a", without_time).disposition, domain::Disposition::kKeep);
    if (!again) world.Restart();
  }
}

TEST_P(ManyDeletions, EachGoesItsOwnWay) {
  std::vector<DeletionPlace> places;
  for (int n = 0; n < kMany; ++n) places.push_back(deleting.Ask("a", Hour(n - 60), DeletionState::kReceived));
  ASSERT_TRUE(deleting.Step(places[3], DeletionStep::kVerify).ok());
  ASSERT_TRUE(deleting.Step(places[5], DeletionStep::kDeny, "not the owner").ok());
  ASSERT_TRUE(deleting.Cancel(places[7]).ok());
  for (const bool again : {false, true}) {
    EXPECT_EQ(InIt(3 - 60), "PURGE no: DELETED");
    EXPECT_EQ(InIt(5 - 60), "KEEP no: DELETION_DENIED");
    EXPECT_EQ(InIt(7 - 60), "KEEP yes: CONSENT");
    EXPECT_EQ(InIt(9 - 60), "KEEP no: DELETION_PENDING");
    if (!again) world.Restart();
  }
  // Back to what the record holds, and beyond it again.
  for (int n = 10; n < kMany; ++n) ASSERT_TRUE(deleting.Cancel(places[static_cast<size_t>(n)]).ok());
  EXPECT_EQ(world.Facts("a").tombstones.size(), 9U);
  EXPECT_FALSE(world.Facts("a").has_more_tombstones);
  EXPECT_EQ(InIt(20 - 60), "KEEP yes: CONSENT");
  EXPECT_EQ(InIt(3 - 60), "PURGE no: DELETED");
  deleting.Ask("a", AllOfIt());
  EXPECT_EQ(AfterIt(20 - 60), "PURGE no: DELETED");
}

TEST_P(ManyDeletions, OfAClosedAccountNothingIsLeft) {
  deleting.Register(System("audio"));
  for (int n = 0; n < kMany; ++n) deleting.Ask("a", Hour(n - 60));
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  deleting.Ask("a", closure);
  while (deleting.Work("audio") > 0) {
  }
  EXPECT_TRUE(domain::IsSuppressionRecord(world.Facts("a")));
  EXPECT_EQ(Text(world.Check("a", Recording(first), Purpose::kNone)), "PURGE: ACCOUNT_CLOSED");
  EXPECT_EQ(world.core().index.FindTombstones(world.Handle("a")), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Index, ManyDeletions, testing::Values(1 << 20, 10));

}  // namespace
}  // namespace consent::test
