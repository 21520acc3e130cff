// Walks the trusted time through everything that wall clocks do.
#include "daemon/base/trusted_clock.h"

#include <memory>
#include <optional>

#include "gtest/gtest.h"
#include "tests/support/store/clock.h"

namespace consent::base {
namespace {

using test::ManualClock;

constexpr Span kYear = Days(365);
const BootId kBoot{1};
const BootId kOther{2};

constexpr Span operator-(Span span) { return Span{-span.micros}; }

struct Jump {
  const char* name;
  Span by;
  bool within_boot;  // doubtful within one boot
  bool over_reboot;  // doubtful after another boot
};
const Jump kJumps[] = {
    {"an hour back", -Hours(1), false, false},
    {"an hour on", Hours(1), false, false},
    {"a day back", -Days(1), true, true},
    {"a day on", Days(1), true, false},
    {"six days on", Days(6), true, false},
    {"eight days on", Days(8), true, true},
    {"400 days on", Days(400), true, true},
    {"thirty years on", Span{30 * kYear.micros}, true, true},
    {"thirty years back", Span{-30 * kYear.micros}, true, true},
};

class TrustedClockTest : public ::testing::TestWithParam<Jump> {
 protected:
  void Run(Span length) {
    for (int64_t left = length.micros; left > 0; left -= Seconds(60).micros) {
      wall_.Advance(Seconds(60));
      (void)clock_->Tick();
    }
  }
  void Restart(const BootId& boot) {
    const ClockRecord record = clock_->Tick();
    clock_ = std::make_unique<TrustedClock>(wall_, boot, ClockBounds{});
    clock_->Resume(record, clock_->last_trusted());
  }
  // The same with a jump that nobody was there to see.
  void RestartWith(const BootId& boot, Span jump) {
    const ClockRecord record = clock_->Tick();
    wall_.StepWall(jump);
    clock_ = std::make_unique<TrustedClock>(wall_, boot, ClockBounds{});
    clock_->Resume(record, record.last_trusted);
  }
  bool Doubtful() const { return clock_->Look().doubtful; }

  ManualClock wall_;
  std::unique_ptr<TrustedClock> clock_ = std::make_unique<TrustedClock>(wall_, kBoot, ClockBounds{});
};

TEST_P(TrustedClockTest, WhileRunning) {
  Run(Hours(3));
  const Instant before = wall_.Now();
  wall_.StepWall(GetParam().by);
  EXPECT_EQ(Doubtful(), GetParam().within_boot) << "at once, before anybody has looked";
  Run(Hours(2));
  EXPECT_EQ(Doubtful(), GetParam().within_boot) << "and for as long as it lasts";
  if (Doubtful()) {
    EXPECT_LE(clock_->Now(), before + Hours(2)) << "no stamp runs ahead";
  }
  wall_.StepWall(-GetParam().by);
  EXPECT_FALSE(Doubtful()) << "right again";
  Run(Hours(2));
  EXPECT_FALSE(Doubtful());
}

TEST_P(TrustedClockTest, OverARestartAndOverAReboot) {
  Run(Hours(3));
  const Instant right = wall_.Now();
  RestartWith(kBoot, GetParam().by);
  EXPECT_EQ(Doubtful(), GetParam().within_boot);
  wall_.StepWall(-GetParam().by);
  EXPECT_FALSE(Doubtful());
  RestartWith(kOther, GetParam().by);
  EXPECT_EQ(Doubtful(), GetParam().over_reboot);
  if (Doubtful()) {
    EXPECT_LE(clock_->Now(), right + Seconds(1));
    Restart(kOther);
    EXPECT_TRUE(Doubtful()) << "a restart does not heal it";
    Restart(kBoot);
    EXPECT_TRUE(Doubtful()) << "nor does another reboot";
    wall_.StepWall(-GetParam().by);
    EXPECT_FALSE(Doubtful()) << "right again";
  }
}

TEST_P(TrustedClockTest, Confirmed) {
  Run(Hours(3));
  clock_->NoteStamp(wall_.Now());
  wall_.StepWall(GetParam().by);
  EXPECT_FALSE(clock_->Confirm(wall_.Now() + Hours(2))) << "names another time";
  EXPECT_EQ(Doubtful(), GetParam().within_boot);
  EXPECT_TRUE(clock_->Confirm(wall_.Now() + Seconds(600)));
  EXPECT_FALSE(Doubtful());
  EXPECT_LE(clock_->last_trusted(), wall_.Now()) << "what was trusted before and lies ahead of it was wrong";
  Restart(kBoot);
  EXPECT_FALSE(Doubtful());
}

INSTANTIATE_TEST_SUITE_P(Jumps, TrustedClockTest, ::testing::ValuesIn(kJumps));

TEST_F(TrustedClockTest, AJumpThatIsOverBeforeTheNextTickIsToldOnce) {
  Run(Hours(1));
  EXPECT_EQ(clock_->TakeDoubt(), std::nullopt);
  EXPECT_EQ(clock_->doubts(), 0U);
  wall_.StepWall(Days(400));
  (void)clock_->Now();  // the stamp of one commit
  wall_.StepWall(-Days(400));
  EXPECT_FALSE(Doubtful());
  EXPECT_EQ(clock_->TakeDoubt(), Days(400));
  EXPECT_EQ(clock_->TakeDoubt(), std::nullopt) << "told once";
  EXPECT_EQ(clock_->doubts(), 1U) << "counted for ever";
}

TEST_F(TrustedClockTest, StepsBelowTheBoundAddUp) {
  for (int step = 1; step <= 100; ++step) {
    wall_.StepWall(Seconds(50 * 60));
    EXPECT_EQ(Doubtful(), step > 1) << step;
    Run(Seconds(600));
    if (step % 10 == 0) Restart(kBoot);
  }
}

TEST_F(TrustedClockTest, AClockAtDoubleRateIsSeen) {
  bool seen = false;
  for (int second = 0; second < 2 * 3'600; ++second) {
    wall_.Advance(Seconds(1));
    wall_.StepWall(Seconds(1));
    (void)clock_->Tick();
    seen = seen || Doubtful();
    EXPECT_FALSE(seen && !Doubtful());
  }
  EXPECT_TRUE(seen);
}

TEST_F(TrustedClockTest, OrdinaryDriftIsFollowed) {
  for (int minute = 0; minute < 60 * 24 * 60; ++minute) {
    wall_.Advance(Seconds(60));
    wall_.StepWall(Milliseconds(20));  // 333 ppm
    (void)clock_->Tick();
    ASSERT_FALSE(Doubtful()) << minute;
  }
  EXPECT_LT(clock_->Look().Offset(), Seconds(1));
}

TEST_F(TrustedClockTest, DowntimeOfAWeekIsBelieved) {
  const ClockRecord record = clock_->Tick();
  wall_.Advance(Days(6));
  TrustedClock after(wall_, kOther, ClockBounds{});
  after.Resume(record, Instant{});
  EXPECT_FALSE(after.Look().doubtful);
  EXPECT_EQ(after.Look().Offset(), Span{});
  wall_.StepWall(Hours(2));
  EXPECT_TRUE(after.Look().doubtful) << "from then on the narrow bound holds";
}

TEST_F(TrustedClockTest, SixDaysBehindOverARebootIsDoubtfulUntilTheWallAgrees) {
  clock_->NoteStamp(wall_.Now());
  const Instant stamp = wall_.Now();
  RestartWith(kOther, -Days(6));
  EXPECT_TRUE(Doubtful());
  EXPECT_EQ(clock_->Look().trusted, stamp);
  wall_.StepWall(Days(6));
  wall_.Advance(Hours(5));
  EXPECT_FALSE(Doubtful());
}

TEST_F(TrustedClockTest, WithoutARecordTheLastStampIsTheEarliest) {
  TrustedClock behind(wall_, kBoot, ClockBounds{});
  behind.Resume(std::nullopt, wall_.Now() + Days(1));
  EXPECT_TRUE(behind.Look().doubtful);
  TrustedClock fresh(wall_, kBoot, ClockBounds{});
  fresh.Resume(std::nullopt, Instant{});
  EXPECT_FALSE(fresh.Look().doubtful) << "a new store believes";
}

TEST_F(TrustedClockTest, ABootTimeEndsWithItsBoot) {
  const BootTime until = clock_->After(Seconds(3));
  wall_.StepWall(-Hours(2));
  EXPECT_FALSE(clock_->IsOver(until));
  wall_.StepWall(Days(400));
  EXPECT_FALSE(clock_->IsOver(until)) << "whatever the wall does";
  wall_.Advance(Seconds(3));
  EXPECT_TRUE(clock_->IsOver(until));
  EXPECT_TRUE(TrustedClock(wall_, kOther, ClockBounds{}).IsOver(clock_->After(Days(1))));
  EXPECT_TRUE(clock_->IsOver(BootTime{}));
}

TEST(BootIdTest, TheKernelHasOne) {
  BootId id{};
  BootId again{};
  ASSERT_TRUE(ReadBootId(&id));
  ASSERT_TRUE(ReadBootId(&again));
  EXPECT_EQ(id, again);
  EXPECT_NE(id, BootId{});
}

}  // namespace
}  // namespace consent::base
