// The rule by which the service manager is told, with a clock of the test's own.
#include "daemon/app/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace consent::app {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

class WatchRuleTest : public testing::Test {
 protected:
  std::string Next() { return rule_.Next(seen_, now_); }

  WatchRule rule_{{.watchdog = seconds(60), .drain = seconds(70)}};
  WatchRule::Seen seen_;
  WatchRule::Time now_{std::chrono::hours(1)};
};

TEST_F(WatchRuleTest, AStartIsExtendedWhileItGetsOn) {
  EXPECT_EQ(Next(), "STATUS=starting\nEXTEND_TIMEOUT_USEC=120000000\nWATCHDOG=1");
  seen_.stage = Stage::kFilling;
  EXPECT_EQ(Next(), "STATUS=filling the index, 0 rows read\nEXTEND_TIMEOUT_USEC=120000000\nWATCHDOG=1");
  EXPECT_EQ(Next(), "") << "no step further";
  seen_.progress = 1'000;
  EXPECT_EQ(Next(), "STATUS=filling the index, 1000 rows read\nEXTEND_TIMEOUT_USEC=120000000\nWATCHDOG=1");
  now_ += std::chrono::hours(1);
  EXPECT_EQ(Next(), "") << "a start that hangs is not kept alive";
}

TEST_F(WatchRuleTest, ReadyIsToldOnceAndOnlyWhenItServes) {
  EXPECT_THAT(Next(), Not(HasSubstr("READY")));
  seen_.stage = Stage::kFilling;
  EXPECT_THAT(Next(), Not(HasSubstr("READY")));
  seen_.stage = Stage::kServing;
  EXPECT_EQ(Next(), "READY=1\nSTATUS=serving");
  EXPECT_EQ(Next(), "");
}

TEST_F(WatchRuleTest, WhileServingEachAnsweredProbeFeedsOnce) {
  seen_.stage = Stage::kServing;
  Next();
  now_ += std::chrono::hours(1);
  EXPECT_EQ(Next(), "") << "time alone feeds nobody";
  ++seen_.probes_answered;
  EXPECT_EQ(Next(), "WATCHDOG=1");
  EXPECT_EQ(Next(), "");
}

TEST_F(WatchRuleTest, AProbeThatWasAnsweredBeforeReadyIsNotLost) {
  seen_.stage = Stage::kServing;
  seen_.probes_answered = 1;
  EXPECT_EQ(Next(), "READY=1\nSTATUS=serving\nWATCHDOG=1");
}

TEST_F(WatchRuleTest, ADrainIsFedForItsTimeAndNoLonger) {
  seen_.stage = Stage::kServing;
  Next();
  seen_.stage = Stage::kDraining;
  EXPECT_EQ(Next(), "STOPPING=1\nSTATUS=draining\nWATCHDOG=1");
  now_ += seconds(69);
  EXPECT_EQ(Next(), "WATCHDOG=1");
  now_ += seconds(1);
  EXPECT_EQ(Next(), "");
}

TEST_F(WatchRuleTest, AnOverdueProbeIsToldOnceForEachTime) {
  EXPECT_FALSE(rule_.TakeOverdue(seen_, now_));
  seen_.stage = Stage::kServing;
  Next();
  now_ += seconds(30);
  EXPECT_FALSE(rule_.TakeOverdue(seen_, now_));
  now_ += microseconds(1);
  EXPECT_TRUE(rule_.TakeOverdue(seen_, now_));
  EXPECT_FALSE(rule_.TakeOverdue(seen_, now_));
  ++seen_.probes_answered;
  Next();
  now_ += seconds(31);
  EXPECT_TRUE(rule_.TakeOverdue(seen_, now_));
}

TEST_F(WatchRuleTest, WithoutAWatchdogNothingIsFed) {
  WatchRule rule({.watchdog = std::nullopt, .drain = seconds(70)});
  EXPECT_EQ(rule.Next(seen_, now_), "STATUS=starting\nEXTEND_TIMEOUT_USEC=120000000");
  seen_.stage = Stage::kServing;
  EXPECT_EQ(rule.Next(seen_, now_), "READY=1\nSTATUS=serving");
  ++seen_.probes_answered;
  EXPECT_EQ(rule.Next(seen_, now_), "");
  now_ += std::chrono::hours(1);
  EXPECT_FALSE(rule.TakeOverdue(seen_, now_));
}

}  // namespace
}  // namespace consent::app
