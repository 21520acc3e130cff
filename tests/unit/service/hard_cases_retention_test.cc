// The numbered hard cases about retention, holds and deletions. Holds and tombstones are written through the store.
#include <gtest/gtest.h>

#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Hold;
using domain::Interval;
using domain::Purpose;
using domain::Retention;
using domain::RetentionKind;
using domain::ScopeKind;
using domain::SubjectFacts;
using domain::Tombstone;
using domain::TombstoneState;

constexpr Retention Months(uint8_t n) { return {RetentionKind::kMonths, n}; }

// Registered in Germany, help_improve on under a notice that covers the past.
class HardCaseOfAnOptedIn : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.Register("a", "DE").ok());
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve"), Under("past")).ok());
  }
  std::string Fate(const Recording& recording) const { return Text(world.Check("a", recording, Purpose::kNone)); }

  World world;
};

TEST_F(HardCaseOfAnOptedIn, N19_HoldAndOptedInIsNo) {
  world.Rewrite("a", [](SubjectFacts& facts) { facts.holds.push_back(Hold{}); });
  EXPECT_EQ(Text(world.Check("a")), "HOLD no: LEGAL_HOLD");
}

TEST_F(HardCaseOfAnOptedIn, N20_TwoHoldsOneReleasedIsHold) {
  const base::Instant now = world.Now();
  const Recording recording(now - base::Days(1));
  world.Rewrite("a", [&](SubjectFacts& facts) {
    facts.holds.push_back(Hold{ScopeKind::kAccount, {}, Interval{now - base::Days(7), now}});
    facts.holds.push_back(Hold{ScopeKind::kProfile, world.Ref(Profile("ann")).handle, Interval{}});
  });
  ASSERT_EQ(Fate(recording), "HOLD: LEGAL_HOLD");
  world.Rewrite("a", [](SubjectFacts& facts) { facts.holds.erase(facts.holds.begin()); });
  EXPECT_EQ(Fate(recording), "HOLD: LEGAL_HOLD");
  world.Rewrite("a", [](SubjectFacts& facts) { facts.holds.clear(); });
  EXPECT_EQ(Fate(recording), "KEEP");
}

TEST_F(HardCaseOfAnOptedIn, N21_ExpiredRetentionUnderHoldIsHold) {
  ASSERT_TRUE(world.Retain("a", Account(), Months(3)).ok());
  const Recording old(world.Now() - base::Days(200));
  ASSERT_EQ(Fate(old), "PURGE: RETENTION_EXPIRED");
  world.Rewrite("a", [](SubjectFacts& facts) { facts.holds.push_back(Hold{}); });
  EXPECT_EQ(Fate(old), "HOLD: LEGAL_HOLD, RETENTION_EXPIRED");
  EXPECT_FALSE(IsYes(world.Check("a", old)));
}

TEST_F(HardCaseOfAnOptedIn, N23_DoNotSavePurgesEarlierAudioToo) {
  const Recording earlier(world.Now() - base::Days(30));
  ASSERT_TRUE(IsYes(world.Check("a", earlier)));
  ASSERT_TRUE(world.Retain("a", Account(), {RetentionKind::kDoNotSave, 0}).ok());
  EXPECT_EQ(Fate(earlier), "PURGE: DO_NOT_SAVE");
  ASSERT_TRUE(world.Retain("a", Account(), Retention{}).ok());
  EXPECT_EQ(Fate(earlier), "PURGE: RETENTION_EXPIRED") << "lengthening brings nothing back";
  EXPECT_EQ(Fate(Recording(world.Now() - base::Seconds(10))), "KEEP");
}

TEST_F(HardCaseOfAnOptedIn, N24_ShorterRetentionPurgesAndLongerResurrectsNothing) {
  ASSERT_TRUE(world.Retain("a", Account(), Months(18)).ok());
  const Recording old(world.Now() - base::Days(100));
  ASSERT_EQ(Fate(old), "KEEP");
  ASSERT_TRUE(world.Retain("a", Account(), Months(3)).ok());
  EXPECT_EQ(Fate(old), "PURGE: RETENTION_EXPIRED");
  ASSERT_TRUE(world.Retain("a", Account(), Months(18)).ok());
  EXPECT_EQ(Fate(old), "PURGE: RETENTION_EXPIRED");
  EXPECT_EQ(Fate(Recording(world.Now() - base::Days(80))), "KEEP") << "was never expired";
}

TEST_F(HardCaseOfAnOptedIn, N24_LongerRetentionWithoutEtagIsRefused) {
  ASSERT_TRUE(world.Retain("a", Account(), Months(3)).ok());
  service::ChangeRequest longer = world.Request("a", service::ChangeKind::kUpdateSettings);
  longer.command.retention.push_back({world.Ref(Account()), Months(18)});
  EXPECT_EQ(ReasonOf(world.Submit(longer)), "ETAG_REQUIRED");
}

TEST_F(HardCaseOfAnOptedIn, N41_CapturedAfterDeleteEverythingFollowsTheNormalRules) {
  const base::Instant received = world.Now();
  world.Rewrite("a", [&](SubjectFacts& facts) {
    facts.tombstones.push_back(Tombstone{
        TombstoneState::kVerified, ScopeKind::kAccount, {}, domain::OrderedTimes::Until(received, received), {}});
  });
  EXPECT_EQ(Text(world.Check("a", Recording(received - base::Days(3)))), "PURGE no: DELETED");
  EXPECT_EQ(Text(world.Check("a", Recording(received + base::Seconds(1)))), "PURGE no: DELETED")
      << "the border is PURGE";
  EXPECT_EQ(Text(world.Check("a", Recording(received + base::Seconds(3)))), "KEEP yes: CONSENT");
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  EXPECT_EQ(Fate(Recording(received - base::Days(3))), "PURGE: DELETED") << "a later change keeps what is stored";
}

}  // namespace
}  // namespace consent::test
