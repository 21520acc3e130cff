// Leases are rows that commits write: who has one, who may take it, and what a commit under it is worth.
#include "daemon/store/lease_holder.h"
#include "tests/conformance/suite.h"
#include "tests/support/store/lease_play.h"

namespace consent::test {
namespace {

using store::Change;
using store::LeaseHolder;
using store::Outcome;
using store::Table;

constexpr base::Span kLength = base::Seconds(10);

// One process that wants the lease, with a clock of its own.
struct Side {
  Side(store::Store& store, store::Partition partition, std::string name)
      : holder(store, clock, LeaseHolder::Options{partition, "integrator", std::move(name), kLength, {}}) {}
  // Whether it has the lease after one step.
  bool Step() {
    const absl::StatusOr<bool> held = holder.Step();
    EXPECT_TRUE(held.ok()) << held.status();
    EXPECT_EQ(held.ok() && *held, holder.Guard().has_value());
    return held.ok() && *held;
  }
  ManualClock clock;
  LeaseHolder holder;
};

TEST_P(Conformance, ALeaseIsTakenRenewedAndGivenBack) {
  Side one(db(), last(), "one");
  Side two(db(), last(), "two");
  EXPECT_FALSE(one.holder.Guard());
  ASSERT_TRUE(one.Step());
  EXPECT_EQ(one.holder.Token(), 1u);
  EXPECT_FALSE(two.Step());
  EXPECT_EQ(two.holder.Token(), 0u);
  const store::Precondition under_one = *one.holder.Guard();
  ASSERT_TRUE(one.Step()) << "renewed";
  EXPECT_EQ(Commit({under_one}, Change{{{Table::kSystem, "work", "1"}}, {}}).outcome, Outcome::kCommitted)
      << "a renewal turns no commit away";
  ASSERT_TRUE(one.holder.GiveBack().ok());
  ASSERT_TRUE(one.holder.GiveBack().ok()) << "there is nothing to give back";
  EXPECT_FALSE(one.holder.Guard());
  EXPECT_EQ(Commit({under_one}, {}).outcome, Outcome::kConflict);
  ASSERT_TRUE(two.Step()) << "at once";
  EXPECT_EQ(two.holder.Token(), 2u);
  EXPECT_FALSE(one.Step());
  EXPECT_EQ(Commit({*two.holder.Guard()}, {}).outcome, Outcome::kCommitted);
  EXPECT_EQ(Commit({under_one}, {}).outcome, Outcome::kConflict);
}

TEST_P(Conformance, ASilentHolderLosesItsLeaseByTheWaitersBootClock) {
  Side one(db(), last(), "one");
  Side two(db(), last(), "two");
  ASSERT_TRUE(one.Step());
  EXPECT_FALSE(two.Step()) << "seen for the first time";
  two.clock.StepWall(base::Days(400));
  EXPECT_FALSE(two.Step());
  two.clock.Advance(base::Seconds(9));
  ASSERT_TRUE(one.Step());
  two.clock.Advance(base::Seconds(9));
  EXPECT_FALSE(two.Step()) << "it was renewed";
  two.clock.StepWall(base::Days(-800));
  two.clock.Advance(base::Span{kLength.micros - 1});
  EXPECT_FALSE(two.Step());
  two.clock.Advance(base::Span{1});
  ASSERT_TRUE(two.Step());
  EXPECT_EQ(two.holder.Token(), 2u);
  const auto guard = one.holder.Guard();
  ASSERT_TRUE(guard) << "its own clock stood still: it believes to have the lease";
  EXPECT_EQ(Commit({*guard}, {}).outcome, Outcome::kConflict) << "the store knows better";
  EXPECT_FALSE(one.Step());
  EXPECT_FALSE(one.holder.Guard());
}

TEST_P(Conformance, AHolderThatWasSilentAndNotReplacedGoesOnUnderItsToken) {
  Side one(db(), last(), "one");
  ASSERT_TRUE(one.Step());
  one.clock.StepWall(base::Days(-400));
  one.clock.Advance(base::Span{kLength.micros - 1});
  EXPECT_TRUE(one.holder.Guard());
  one.clock.Advance(base::Span{1});
  EXPECT_FALSE(one.holder.Guard()) << "others may have it by now";
  ASSERT_TRUE(one.Step()) << "nobody has";
  EXPECT_EQ(one.holder.Token(), 1u);
}

TEST_P(Conformance, AReopenedStoreKeepsALease) {
  {
    Side one(db(), last(), "one");
    ASSERT_TRUE(one.Step());
  }
  const bool keeps = harness().Reopen();
  Side two(db(), last(), "two");
  EXPECT_FALSE(two.Step());
  {
    Side again(db(), last(), "one");
    ASSERT_TRUE(again.Step()) << "what it took before it learned the outcome is still its lease";
    EXPECT_EQ(again.holder.Token(), 1u);
  }
  EXPECT_FALSE(two.Step());
  two.clock.Advance(kLength);
  if (keeps) {
    ASSERT_TRUE(harness().Reopen());
    Side three(db(), last(), "three");
    EXPECT_FALSE(three.Step()) << "who begins to wait knows nothing of how long it was silent";
    three.clock.Advance(kLength);
    EXPECT_TRUE(three.Step());
    EXPECT_EQ(three.holder.Token(), 2u);
  } else {
    EXPECT_TRUE(two.Step());
  }
}

TEST_P(Conformance, LeasesOfOtherNamesAndPartitionsAreOthers) {
  Side one(db(), last(), "one");
  ASSERT_TRUE(one.Step());
  ManualClock its;
  for (const auto& [partition, name] : {std::pair<uint16_t, std::string>{last().number, "other"}, {0, "integrator"}}) {
    LeaseHolder other(db(), its, {store::Partition{partition}, name, "two", kLength, {}});
    const absl::StatusOr<bool> held = other.Step();
    ASSERT_TRUE(held.ok()) << held.status();
    EXPECT_EQ(*held, partition != last().number || name != "integrator");
  }
}

TEST_P(Conformance, LeasesRefuseWhatIsOutOfBounds) {
  const auto step = [this](const std::string& name, const std::string& holder, base::Span length) {
    return LeaseHolder(db(), clock(), {last(), name, holder, length, {}}).Step().status();
  };
  EXPECT_TRUE(absl::IsInvalidArgument(step("", "h", kLength)));
  EXPECT_TRUE(absl::IsInvalidArgument(step("n", "", kLength)));
  EXPECT_TRUE(absl::IsInvalidArgument(step("n", std::string(65, 'h'), kLength)));
  EXPECT_TRUE(absl::IsInvalidArgument(step(std::string(65, 'n'), "h", kLength)));
  EXPECT_TRUE(absl::IsInvalidArgument(step("n", "h", base::Seconds(0))));
  EXPECT_TRUE(step(std::string(64, 'n'), std::string(64, 'h'), kLength).ok());
  ASSERT_EQ(Put("damaged", "no grant", Table::kLease).outcome, Outcome::kCommitted);
  EXPECT_TRUE(absl::IsDataLoss(step("damaged", "h", kLength)));
  db().Close();
  EXPECT_TRUE(absl::IsUnavailable(step("n", "h", kLength)));
}

// Sides that sleep while they have the lease, and whose commits arrive when another has it.
TEST_P(Conformance, NoCommitIsAcceptedUnderALeaseThatWasTakenOver) {
  const uint64_t seeds = harness().Reopen() ? 3 : 30;
  LeaseTally right;
  LeaseTally wrong;
  const auto add = [](LeaseTally* sum, const LeaseTally& tally) {
    sum->grants += tally.grants;
    sum->accepted += tally.accepted;
    sum->refused += tally.refused;
    sum->overtaken += tally.overtaken;
  };
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const LeaseTally tally = PlayLease(db(), last(), {seed, true, 200});
    EXPECT_EQ(tally.overtaken, 0) << "seed " << seed;
    add(&right, tally);
    add(&wrong, PlayLease(db(), last(), {seed, false, 200}));
  }
  EXPECT_GT(right.grants, static_cast<int>(seeds)) << "the lease must change hands";
  EXPECT_GT(right.accepted, 0);
  EXPECT_GT(right.refused, 0);
  EXPECT_GT(wrong.overtaken, 0) << "without the lease's row as a precondition the play must find it, or proves nothing";
}

}  // namespace
}  // namespace consent::test
