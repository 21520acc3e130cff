// The numbered hard cases about the time itself, and what holds of every jump.
#include <gtest/gtest.h>

#include "tests/support/service/deleting.h"
#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using domain::Disposition;
using domain::Purpose;

domain::Target HelpImprove() { return Control("help_improve"); }

bool IsPurge(const domain::Decision& decision) { return decision.disposition == Disposition::kPurge; }

// An account, and its one person, that agreed; it keeps recordings for three months.
void Agree(World& world, const std::string& account) {
  ASSERT_TRUE(world.Register(account, "DE").ok());
  for (const ScopeName& scope : {Account(), Profile("ann")}) {
    ASSERT_TRUE(world.OptIn(account, scope, HelpImprove()).ok());
  }
  ASSERT_TRUE(world.Retain(account, Account(), domain::Retention{domain::RetentionKind::kMonths, 3}).ok());
}

TEST(HardCase, N64_FourHundredDaysAheadForOneWrite) {
  World world;
  Agree(world, "a");
  Agree(world, "b");
  const Recording yesterday(world.Now());
  world.Wait(base::Days(1));
  ASSERT_EQ(Text(world.Check("a", yesterday)), "KEEP yes: CONSENT");

  world.clock.StepWall(base::Days(400));
  EXPECT_TRUE(world.time().Look().doubtful) << "what the alarm tells";
  ASSERT_TRUE(world.OptOut("b", Account(), HelpImprove()).ok()) << "a restriction is taken";
  EXPECT_FALSE(IsPurge(world.Check("a", yesterday)));
  EXPECT_FALSE(IsYes(world.Check("a", yesterday)));
  EXPECT_TRUE(world.Check("a", yesterday).reasons.Has(domain::Reason::kClockDoubtful));
  EXPECT_EQ(ReasonOf(world.OptIn("b", Account(), HelpImprove())), "CLOCK_DOUBTFUL");

  world.clock.StepWall(base::Span{-base::Days(400).micros});
  for (int process = 0; process < 3; ++process) {
    EXPECT_FALSE(world.time().Look().doubtful);
    EXPECT_TRUE(IsYes(world.Check("a", yesterday))) << "right again, and nothing is left of it";
    EXPECT_FALSE(IsPurge(world.Check("b", yesterday)));
    EXPECT_FALSE(IsYes(world.Check("b", yesterday))) << "the opt-out counts";
    if (process == 0) world.Restart();
    if (process == 1) world.Reboot();
  }
  ASSERT_TRUE(world.OptIn("b", Account(), HelpImprove()).ok()) << "there is a way back";
}

TEST(HardCase, N71_SixDaysAheadForOneWriteThenEverything) {
  World world;
  Deleting deleting(world);
  Agree(world, "a");
  world.clock.StepWall(base::Days(6));
  ASSERT_TRUE(world.OptOut("a", Account(), HelpImprove()).ok());
  world.clock.StepWall(base::Span{-base::Days(6).micros});

  const base::Instant asked = world.clock.Now();
  const domain::DeletionRequest request = deleting.Get(deleting.Ask("a", AllOfIt()));
  EXPECT_GE(request.received_at, asked);
  EXPECT_LT(request.received_at, asked + base::Seconds(60));
  EXPECT_LT(request.due_at, asked + base::Days(32));
  world.Wait(base::Days(1));
  EXPECT_EQ(world.Check("a", Recording(world.Now())).disposition, Disposition::kKeep) << "tomorrow's recording";
  EXPECT_TRUE(IsPurge(world.Check("a", Recording(asked - base::Seconds(100)))));
}

TEST(HardCase, N72_SixDaysBehindOverARebootThenEverything) {
  World world;
  Deleting deleting(world);
  Agree(world, "a");
  const Recording before(world.Now() - base::Seconds(30));
  const Recording since(world.Now() + base::Days(3));
  world.Wait(base::Days(6));
  ASSERT_TRUE(world.Retain("a", Account(), domain::Retention{domain::RetentionKind::kMonths, 3}).ok());
  world.clock.StepWall(base::Span{-base::Days(6).micros});
  world.Reboot();
  EXPECT_TRUE(world.time().Look().doubtful);
  deleting.Ask("a", AllOfIt());
  EXPECT_FALSE(IsYes(world.Check("a", since)));
  world.clock.StepWall(base::Days(6));
  world.Wait(base::Seconds(600));
  EXPECT_FALSE(world.time().Look().doubtful);
  EXPECT_FALSE(IsYes(world.Check("a", before)));
  EXPECT_FALSE(IsYes(world.Check("a", since))) << "never eligible";
}

// --- what holds of every jump ---

struct Jump {
  base::Span by;
  bool doubtful;
};

class EveryJump : public testing::TestWithParam<Jump> {};
INSTANTIATE_TEST_SUITE_P(Jumps, EveryJump,
                         testing::Values(Jump{base::Hours(1), false}, Jump{base::Hours(-1), false},
                                         Jump{base::Days(1), true}, Jump{base::Days(-1), true},
                                         Jump{base::Days(6), true}, Jump{base::Days(400), true},
                                         Jump{base::Days(30 * 365), true}, Jump{base::Days(-400), true}));

TEST_P(EveryJump, NothingIsPurgedByItAndNoOptOutIsLost) {
  constexpr int kAccounts = 40;
  World world;
  for (int i = 0; i < kAccounts; ++i) Agree(world, "a" + std::to_string(i));
  const Recording old(world.Now() - base::Days(80));
  const Recording young(world.Now());
  world.clock.StepWall(GetParam().by);
  EXPECT_EQ(world.time().Look().doubtful, GetParam().doubtful);
  for (int i = 0; i < kAccounts; i += 2) {
    ASSERT_TRUE(world.OptOut("a" + std::to_string(i), Account(), HelpImprove()).ok()) << i;
  }
  world.Restart();
  for (int i = 0; i < kAccounts; ++i) {
    for (const Recording& recording : {old, young}) {
      const domain::Decision decision = world.Check("a" + std::to_string(i), recording);
      EXPECT_FALSE(IsPurge(decision)) << i;
      EXPECT_FALSE(GetParam().doubtful && IsYes(decision)) << i;
    }
  }
  world.clock.StepWall(base::Span{-GetParam().by.micros});
  world.Restart();
  for (int i = 0; i < kAccounts; ++i) {
    EXPECT_EQ(IsYes(world.Check("a" + std::to_string(i), young)), i % 2 == 1) << i;
    EXPECT_FALSE(IsPurge(world.Check("a" + std::to_string(i), young))) << i;
  }
}

TEST_P(EveryJump, ALeaseOfThreeSecondsLastsThreeSeconds) {
  World world;
  Deleting deleting(world);
  Agree(world, "a");
  deleting.Register(System("audio"));
  deleting.Ask("a", AllOfIt());
  ASSERT_EQ(deleting.Lease("audio", 10, base::Seconds(3)).size(), 1U);
  world.clock.StepWall(GetParam().by);
  EXPECT_TRUE(deleting.Lease("audio").empty());
  world.Restart();
  world.Wait(base::Microseconds(2'999'999));
  EXPECT_TRUE(deleting.Lease("audio").empty());
  world.Wait(base::Microseconds(1));
  EXPECT_EQ(deleting.Lease("audio").size(), 1U);
  world.Reboot();
  EXPECT_EQ(deleting.Lease("audio").size(), 1U) << "nobody works on it after a reboot";
}

TEST_P(EveryJump, ConfirmedItIsBelieved) {
  World world;
  Agree(world, "a");
  world.clock.StepWall(GetParam().by);
  EXPECT_FALSE(world.time().Confirm(world.clock.Now() + base::Hours(3)));
  ASSERT_TRUE(world.time().Confirm(world.clock.Now()));
  EXPECT_FALSE(world.time().Look().doubtful);
  EXPECT_EQ(world.Check("a", Recording(world.clock.Now())).reasons.Has(domain::Reason::kClockDoubtful), false);
}

}  // namespace
}  // namespace consent::test
