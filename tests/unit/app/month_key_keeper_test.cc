// The key of a month is there before its first line, and goes once the policy's months are over: as time passes.
#include "daemon/app/month_key_keeper.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "daemon/decisions/log.h"
#include "tests/support/service/faulty_world.h"
#include "tests/support/temp_folder.h"

namespace consent::app {
namespace {

using test::At;

class MonthKeyKeeperTest : public ::testing::Test {
 protected:
  explicit MonthKeyKeeperTest(bool is_on = true) : faulty_(Options()), world_(faulty_.world) {
    if (is_on) {
      decisions::LogOptions options;
      options.folder = folder_ / "decisions";
      file_ = *decisions::Log::Open(options);
    }
    Start();
  }
  static test::World::Options Options() {
    test::World::Options options;
    options.now = At("2026-03-10T12:00:00Z");
    return options;
  }
  // Another process: what it holds in memory is gone.
  void Start() {
    keeper_.reset();
    recorder_.reset();
    in_use_.emplace();
    recorder_.emplace(*in_use_, world_.store().store_id(), world_.random, file_.get());
    keeper_.emplace(world_.core(), world_.month_keys(), *in_use_, *recorder_, log_);
  }
  // As hourly looks would see it, but for those in which nothing can have changed.
  void LookUntil(const char* when) {
    const base::Instant until = At(when);
    while (world_.clock.Now() < until) {
      world_.Wait(std::min(base::Hours(6), until - world_.clock.Now()));
      keeper_->Look();
    }
  }
  // Whether a read at this moment is on record.
  bool IsOnRecord() {
    bool on_record = false;
    recorder_->PutRead("officer", "SettingsService/GetSettings", world_.Handle("a"), world_.core().Present(),
                       [&on_record](bool done) { on_record = done; });
    return on_record;
  }
  std::string Months() {
    std::string months;
    const absl::StatusOr<std::vector<service::KnownMonthKey>> all = service::LoadMonthKeys(world_.store());
    EXPECT_TRUE(all.ok());
    for (const service::KnownMonthKey& known : *all) {
      months += (months.empty() ? "" : " ") + known.name.month.ToText() + (known.row.IsThere() ? "" : "-");
    }
    return months;
  }
  // Of how many months after its end a key is kept.
  void Keep(const std::string& version, int months) {
    test::PolicyBuilder policy(version);
    policy.policy().set_decision_log_keep_months(months);
    ASSERT_TRUE(world_.Activate(policy).ok());
  }

  test::TempFolder folder_;
  test::FaultyWorld faulty_;
  test::World& world_;
  ops::Log log_{ops::LogFormat::kJson, ops::LogLevel::kError};
  std::unique_ptr<decisions::Log> file_;
  std::optional<decisions::HandleKeys> in_use_;
  std::optional<decisions::Recorder> recorder_;
  std::optional<MonthKeyKeeper> keeper_;
};

TEST_F(MonthKeyKeeperTest, AtTheStartTheRunningMonthGetsItsKey) {
  EXPECT_FALSE(IsOnRecord()) << "nothing is said before";
  keeper_->Look();
  EXPECT_EQ(Months(), "2026-03");
  EXPECT_TRUE(IsOnRecord());
  // A crash before the first line, or after it: the same key.
  Start();
  EXPECT_FALSE(IsOnRecord());
  keeper_->Look();
  EXPECT_EQ(Months(), "2026-03");
  EXPECT_TRUE(IsOnRecord());
}

TEST_F(MonthKeyKeeperTest, TheNextMonthsIsMadeADayAhead) {
  keeper_->Look();
  LookUntil("2026-03-30T20:00:00Z");
  EXPECT_EQ(Months(), "2026-03");
  LookUntil("2026-03-31T12:00:00Z");
  EXPECT_EQ(Months(), "2026-03 2026-04");
  // The store takes nothing any more: the new month begins all the same.
  for (int i = 0; i < 100; ++i) faulty_.faulty->Inject(test::Fault::kUnknownLost);
  for (const char* when : {"2026-03-31T23:59:59Z", "2026-04-01T00:00:00Z", "2026-04-01T00:00:01Z"}) {
    world_.Wait(At(when) - world_.clock.Now());
    EXPECT_TRUE(IsOnRecord()) << when;
  }
}

TEST_F(MonthKeyKeeperTest, AStartInANewMonthMakesItsKey) {
  keeper_->Look();
  LookUntil("2026-03-20T00:00:00Z");
  world_.Wait(base::Days(41));  // while nothing ran
  Start();
  EXPECT_FALSE(IsOnRecord());
  keeper_->Look();
  EXPECT_EQ(Months(), "2026-03 2026-04 2026-05") << "April ends within a day";
  EXPECT_TRUE(IsOnRecord());
}

TEST_F(MonthKeyKeeperTest, WhileTheStoreFailsNothingIsOnRecordAndThenItIs) {
  faulty_.faulty->Inject(test::Fault::kUnknownLost);
  keeper_->Look();
  EXPECT_FALSE(IsOnRecord());
  EXPECT_EQ(recorder_->refused_without_key(), 1U);
  faulty_.faulty->Reopen();
  EXPECT_EQ(Months(), "");
  EXPECT_FALSE(IsOnRecord());
  keeper_->Look();
  EXPECT_EQ(Months(), "2026-03");
  EXPECT_TRUE(IsOnRecord());
}

TEST_F(MonthKeyKeeperTest, KeysGoOnceThePolicysMonthsAreOver) {
  Keep("two", 2);
  keeper_->Look();
  LookUntil("2026-05-31T23:00:00Z");
  EXPECT_EQ(Months(), "2026-03 2026-04 2026-05 2026-06") << "two whole months after its end";
  LookUntil("2026-06-01T00:00:01Z");
  EXPECT_EQ(Months(), "2026-03- 2026-04 2026-05 2026-06");
  EXPECT_TRUE(IsOnRecord());
  Keep("one", 1);
  keeper_->Look();
  EXPECT_EQ(Months(), "2026-03- 2026-04- 2026-05 2026-06") << "the present policy counts, at once";
  Keep("longer", 120);
  LookUntil("2026-08-15T00:00:00Z");
  EXPECT_EQ(Months(), "2026-03- 2026-04- 2026-05 2026-06 2026-07 2026-08");
}

TEST_F(MonthKeyKeeperTest, WithoutAWordOfThePolicyItIsTwoYears) {
  keeper_->Look();
  world_.Wait(At("2028-03-31T23:00:00Z") - world_.clock.Now());
  keeper_->Look();
  EXPECT_EQ(Months(), "2026-03 2028-03 2028-04");
  LookUntil("2028-04-01T00:00:01Z");
  EXPECT_EQ(Months(), "2026-03- 2028-03 2028-04");
}

// A clock that somebody set two years ahead destroys nothing; lines of that time have a key all the same.
TEST_F(MonthKeyKeeperTest, NothingIsDestroyedWhileTheTimeIsInDoubt) {
  Keep("one", 1);
  keeper_->Look();
  world_.clock.StepWall(At("2028-03-10T12:00:00Z") - world_.clock.Now());
  ASSERT_TRUE(world_.core().Present().doubtful);
  keeper_->Look();
  EXPECT_EQ(Months(), "2026-03 2028-03");
  EXPECT_TRUE(IsOnRecord()) << "who looks at people is on record in any case";
}

class WithoutALog : public MonthKeyKeeperTest {
 protected:
  WithoutALog() : MonthKeyKeeperTest(false) {}
};

TEST_F(WithoutALog, NoKeyIsMadeAndOldOnesStillGo) {
  ASSERT_TRUE(world_.month_keys().TakeOrMake(*base::Month::Parse("2020-01")).ok());
  keeper_->Look();
  EXPECT_EQ(Months(), "2020-01-");
}

}  // namespace
}  // namespace consent::app
