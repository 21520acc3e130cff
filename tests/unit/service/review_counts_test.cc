// What metrics tell of review grants: which are open, how others ended, what was refused; and that a use after a
// restriction is found where the commit is published.
#include "daemon/service/state/review_counts.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/service/faulty_world.h"
#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

using domain::GrantEnd;
using domain::LeaseRefusal;
using domain::ReviewOutcome;
using service::ReviewCounts;
using Use = service::ReviewCounts::Use;

class ReviewCountsTest : public testing::Test {
 protected:
  ReviewCountsTest() : faulty_(Options()), world_(faulty_.world), reviewing_(world_) {
    Agree(world_, "a");
    reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
  }
  static World::Options Options() {
    World::Options options;
    options.partitions = 3;
    return options;
  }
  ReviewCounts& counts() { return world_.core().reviews; }
  ReviewCounts::Given Given() { return counts().Count(world_.core().time); }
  uint64_t Ended(ReviewOutcome outcome) { return Given().ended[static_cast<size_t>(outcome)]; }
  uint64_t Uses(Use use) { return Given().uses[static_cast<size_t>(use)]; }
  uint64_t AfterRestriction() {
    uint64_t uses = 0;
    for (const Use use : {Use::kOpen, Use::kRedeem, Use::kSubmit, Use::kRenew}) {
      uses += counts().uses_after_restriction(use);
    }
    return uses;
  }
  // Somebody opts out, and is acknowledged, between what the next open reads and its commit.
  void OptOutBeforeNextCommit() {
    ASSERT_TRUE(world_.reviews().ReadPublicKey().ok());  // which the first open would commit
    faulty_.faulty->BeforeNextCommit(
        std::function<void()>([this] { EXPECT_TRUE(world_.OptOut("a", Account(), Everything()).ok()); }));
  }

  FaultyWorld faulty_;
  World& world_;
  Reviewing reviewing_;
};

TEST_F(ReviewCountsTest, EachGrantIsOpenUntilItsEndAndCountedOnce) {
  const Held submitted = reviewing_.Lease("a", "rec1", "r1");
  const Held skipped = reviewing_.Lease("a", "rec2", "r2");
  const Held expiring = reviewing_.Lease("a", "rec3", "r3");
  EXPECT_EQ(Given().given, 3U);
  EXPECT_EQ(Given().open, 3U);
  const auto opened = reviewing_.Open(submitted);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE(reviewing_.Redeem(opened->token).ok());
  ASSERT_TRUE(reviewing_.Submit(submitted).ok());
  ASSERT_TRUE(reviewing_.Submit(submitted).ok()) << "the same again";
  ASSERT_TRUE(reviewing_.End(skipped, ReviewOutcome::kSkipped).ok());
  ASSERT_TRUE(reviewing_.End(skipped, ReviewOutcome::kInaudible).ok()) << "the first outcome stays";
  EXPECT_EQ(Given().open, 1U);
  EXPECT_EQ(Ended(ReviewOutcome::kSubmitted), 1U);
  EXPECT_EQ(Ended(ReviewOutcome::kSkipped), 1U);
  EXPECT_EQ(Ended(ReviewOutcome::kInaudible), 0U);
  EXPECT_EQ(Uses(Use::kOpen), 1U);
  EXPECT_EQ(Uses(Use::kRedeem), 1U);
  EXPECT_EQ(Uses(Use::kSubmit), 1U);
  world_.Wait(base::Seconds(20 * 60));
  ASSERT_TRUE(world_.reviews().Renew(expiring.name, {}).ok());
  EXPECT_EQ(Uses(Use::kRenew), 1U);
  world_.Wait(base::Seconds(20 * 60));
  EXPECT_EQ(Given().open, 1U) << "its time began anew";
  EXPECT_EQ(Given().expired, 0U);
  world_.Wait(base::Seconds(20 * 60));
  EXPECT_EQ(Given().open, 0U);
  EXPECT_EQ(Given().expired, 1U);
  EXPECT_EQ(Given().given, 3U);
  EXPECT_EQ(AfterRestriction(), 0U);
}

TEST_F(ReviewCountsTest, ARestrictedOneIsNoticedWhereItsRecordingIsGrantedAnew) {
  (void)reviewing_.Lease("a", "rec", "r1");
  ASSERT_TRUE(reviewing_.Revoke(domain::RevocationKind::kReviewer, "r1").ok());
  EXPECT_EQ(Given().open, 1U);
  (void)reviewing_.Lease("a", "rec", "r2");
  EXPECT_EQ(Given().open, 1U);
  EXPECT_EQ(Given().replaced, 1U);
  EXPECT_EQ(Given().given, 2U);
}

TEST_F(ReviewCountsTest, ARestartFindsThoseThatAreOpen) {
  const Held held = reviewing_.Lease("a", "rec1", "r1");
  const Held ended = reviewing_.Lease("a", "rec2", "r2");
  ASSERT_TRUE(reviewing_.Open(held).ok());
  ASSERT_TRUE(reviewing_.End(ended, ReviewOutcome::kSkipped).ok());
  world_.Restart();
  EXPECT_EQ(Given().open, 1U);
  EXPECT_EQ(Given().given, 0U) << "counters count since the process began";
  ASSERT_TRUE(reviewing_.Open(held).ok());
  EXPECT_EQ(Uses(Use::kOpen), 1U) << "the one of before the restart is none of now";
  ASSERT_TRUE(reviewing_.Submit(held).ok());
  EXPECT_EQ(Given().open, 0U);
}

TEST_F(ReviewCountsTest, WhatIsRefusedIsCountedByItsCause) {
  const Held held = reviewing_.Lease("a", "rec1", "r1");
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec1", "r2")), "GRANTED");
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec2", "r1")), "HEARD_RECENTLY");
  EXPECT_EQ(counts().refused_leases(LeaseRefusal::kGranted), 1U);
  EXPECT_EQ(counts().refused_leases(LeaseRefusal::kHeardRecently), 1U);
  const auto opened = reviewing_.Open(held);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(reviewing_.Redeem(opened->token, "elsewhere").ok());
  EXPECT_EQ(counts().refused_tokens(domain::TokenEnd::kNone), 1U);
  ASSERT_TRUE(reviewing_.Redeem(opened->token).ok());
  EXPECT_FALSE(reviewing_.Redeem(opened->token).ok());
  EXPECT_EQ(counts().refused_tokens(domain::TokenEnd::kRedeemed), 1U);
  ASSERT_TRUE(world_.OptOut("a", Account(), Everything()).ok());
  EXPECT_FALSE(reviewing_.Open(held).ok());
  EXPECT_FALSE(reviewing_.Redeem(opened->token).ok());
  EXPECT_FALSE(reviewing_.Submit(held).ok());
  EXPECT_FALSE(world_.reviews().Renew(held.name, {}).ok());
  for (const Use use : {Use::kOpen, Use::kRedeem, Use::kSubmit, Use::kRenew}) {
    EXPECT_EQ(counts().refused_uses(use, GrantEnd::kSubjectChanged), 1U) << static_cast<int>(use);
  }
  EXPECT_FALSE(reviewing_.Open({{held.name.id, held.name.fence + 1}, "", {}}).ok());
  EXPECT_EQ(counts().refused_uses(Use::kOpen, GrantEnd::kOtherGrant), 1U);
  EXPECT_EQ(Reviewing::Said(reviewing_.TryLease("a", "rec3", "r3")).substr(0, 12), "NOT_ELIGIBLE");
  EXPECT_EQ(counts().refused_leases(domain::Reason::kWithdrawn), 1U);
  EXPECT_EQ(AfterRestriction(), 0U);
}

TEST_F(ReviewCountsTest, AUseThatComesAfterARestrictionIsFound) {
  const Held held = reviewing_.Lease("a", "rec");
  OptOutBeforeNextCommit();
  EXPECT_EQ(Reviewing::Why(reviewing_.Open(held)), "GRANT_ENDED SUBJECT_CHANGED");
  EXPECT_EQ(AfterRestriction(), 0U);
}

TEST_F(ReviewCountsTest, AStoreThatForgetsWhatAUseWasDecidedByIsCounted) {
  const Held held = reviewing_.Lease("a", "rec");
  faulty_.faulty->ForgetPreconditionsOf(store::Table::kSubject);
  OptOutBeforeNextCommit();
  ASSERT_TRUE(reviewing_.Open(held).ok());
  EXPECT_EQ(counts().uses_after_restriction(Use::kOpen), 1U);
  EXPECT_EQ(AfterRestriction(), 1U);
}

}  // namespace
}  // namespace consent::test
