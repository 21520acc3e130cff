// What the later of two joined accounts' words must not mend for the earlier: each account says no by itself, and so
// does the joined one, whichever was told first.
#include <gtest/gtest.h>

#include <string>

#include "daemon/service/registry/policy_admin.h"
#include "tests/support/service/policy_builder.h"
#include "tests/unit/service/joining.h"

namespace consent::test {
namespace {

using domain::Purpose;

class JoinedConsentsTest : public testing::TestWithParam<bool> {
 protected:
  // Who is told first, and who is joined into whom.
  std::string first() const { return GetParam() ? "a" : "b"; }
  std::string second() const { return GetParam() ? "b" : "a"; }
  // In a region whose default allows.
  void Register() {
    for (const char* account : {"a", "b"}) {
      ASSERT_TRUE(world_.Register(account, "US", {Adult("ann")}, {"tv"}).ok());
    }
  }
  // Of now, of ann and of no device.
  std::string Said(const std::string& account) { return Text(world_.Check(account, unnamed_, purpose_)); }
  void ExpectBothSay(const std::string& said) {
    ASSERT_TRUE(Join(world_, "a", "b").ok());
    EXPECT_EQ(Said("a"), said);
    EXPECT_EQ(Said("b"), said);
  }

  FaultyWorld faulty_{World::Options{.partitions = 16}};
  World& world_ = faulty_.world;
  Recording unnamed_{world_.Now()};
  Purpose purpose_ = Purpose::kHumanReview;
};

// A control that one refused comes to list what the other one agreed to: who names no device may have the first one's.
TEST_P(JoinedConsentsTest, ADeviceThatRefusedAControlMayBeTheOneThatIsNotNamed) {
  Register();
  ASSERT_TRUE(world_.OptOut(first(), Device("tv"), Control("help_improve")).ok());
  ASSERT_TRUE(world_.OptIn(second(), Device("tv"), Control("train")).ok());
  PolicyBuilder policy("v2");
  policy.Control("help_improve").add_purposes(v1::PURPOSE_MODEL_TRAINING);
  ASSERT_TRUE(world_.Activate(policy).ok());
  unnamed_ = Recording(world_.Now());
  purpose_ = Purpose::kModelTraining;
  EXPECT_EQ(Said(first()), "KEEP no: MISSING_FACT");
  EXPECT_EQ(Said(second()), "KEEP yes: DEFAULT");
  ExpectBothSay("KEEP no: MISSING_FACT");
}

// Each had agreed for the past once; the last word of one was under a notice that forgives nothing.
TEST_P(JoinedConsentsTest, ADeviceWhoseLastNoticeForgivesNothingMayBeTheOneThatIsNotNamed) {
  Register();
  unnamed_ = Recording(world_.Now());
  for (const std::string& account : {first(), second()}) {
    ASSERT_TRUE(world_.OptOut(account, Device("tv"), Control("help_improve")).ok());
    ASSERT_TRUE(world_.OptIn(account, Device("tv"), Control("help_improve"), Under("past")).ok());
  }
  ASSERT_TRUE(world_.OptIn(first(), Device("tv"), Control("help_improve"), Under("general")).ok());
  EXPECT_EQ(Said(first()), "KEEP no: MISSING_FACT");
  EXPECT_EQ(Said(second()), "KEEP yes: DEFAULT");
  ExpectBothSay("KEEP no: MISSING_FACT");
}

// What was agreed to before a suspension does not count after it, though another account agreed since.
TEST_P(JoinedConsentsTest, AYesOfBeforeASuspensionIsNone) {
  Agree(world_, first());
  const auto suspended = world_.admin().Suspend(Purpose::kHumanReview, domain::Region{}, "an incident");
  ASSERT_TRUE(suspended.ok()) << suspended.status();
  world_.Wait(base::Seconds(60));
  ASSERT_TRUE(world_.admin().Resume({Purpose::kHumanReview, domain::Region{}, "solved", suspended->etag}).ok());
  world_.Wait(base::Seconds(60));
  Agree(world_, second());
  unnamed_ = Recording(world_.Now());
  EXPECT_EQ(Said(first()), "KEEP no: NO_CONSENT");
  EXPECT_EQ(Said(second()), "KEEP yes: CONSENT");
  ExpectBothSay("KEEP no: NO_CONSENT");
}

INSTANTIATE_TEST_SUITE_P(WhoIsFirst, JoinedConsentsTest, testing::Bool());

}  // namespace
}  // namespace consent::test
