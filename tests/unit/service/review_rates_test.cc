// Rates of review grants: populations as callers report them, what a rate allows of them, and what is measured.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "daemon/domain/review_rate.h"
#include "daemon/service/review/populations.h"
#include "daemon/service/rows/review_rows.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/faulty_world.h"
#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test::review_rates_test {
namespace {

const domain::Region kGermany = [] {
  domain::Region region;
  EXPECT_TRUE(domain::Region::Parse("DE", &region));
  return region;
}();

uint32_t HourOf(base::Instant t) { return static_cast<uint32_t>(t.micros / base::Hours(1).micros); }

class ReviewRatesTest : public testing::Test {
 protected:
  ReviewRatesTest() : faulty_(Partitions()), world_(faulty_.world), reviewing_(world_) {
    for (int i = 0; i < 10; ++i) Agree(world_, Name(i));
    PolicyBuilder policy("v2");
    policy.Caps().mutable_rates(0)->set_parts_per_million(2'000);
    EXPECT_TRUE(world_.Activate(policy).ok());
    reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
  }
  static World::Options Partitions() {
    World::Options options;
    options.partitions = 5;
    return options;
  }
  static std::string Name(int number) { return "a" + std::to_string(number); }
  void Report(int hours_ago, uint64_t utterances, const std::string& caller = "sampler",
              domain::Region country = kGermany) {
    const service::PopulationReport report{HourOf(world_.Now()) - static_cast<uint32_t>(hours_ago),
                                           {{country, utterances}}};
    ASSERT_TRUE(service::ReportPopulation(world_.core(), report, service::Caller{caller}).ok());
  }
  uint64_t Utterances() {
    for (const service::HeardShare& counts : Counts()) {
      if (counts.country == kGermany) return counts.utterances;
    }
    return 0;
  }
  std::vector<service::HeardShare> Counts() {
    return world_.review_rates().Of(base::Month::Of(world_.Now()), *world_.core().policies.rules());
  }
  std::string Lease(int number, const std::string& recording = "r") {
    const service::LeaseAnswer answer = reviewing_.TryLease(Name(number), recording, "reviewer" + recording);
    return answer.error.ok() && answer.decision.reasons.Has(domain::Reason::kCapSpent) ? "CAP_SPENT"
                                                                                       : Reviewing::Said(answer);
  }

  FaultyWorld faulty_;
  World& world_;
  Reviewing reviewing_;
};

TEST_F(ReviewRatesTest, WhatNobodyReportedHasNoRate) {
  EXPECT_EQ(Lease(0), "CAP_SPENT");
  domain::Region france;
  ASSERT_TRUE(domain::Region::Parse("FR", &france));
  Report(1, 1'000'000, "sampler", france);
  EXPECT_EQ(Lease(0), "CAP_SPENT") << "another country";
  Report(0, 499);
  EXPECT_EQ(Lease(0), "CAP_SPENT");
  Report(0, 500);
  EXPECT_EQ(Lease(0), "GRANT");
  EXPECT_EQ(Lease(1), "CAP_SPENT");
}

TEST_F(ReviewRatesTest, AnHourReportedAgainTakesThePlaceOfWhatTheCallerSaid) {
  Report(1, 700);
  Report(1, 700);
  EXPECT_EQ(Utterances(), 700U);
  Report(2, 300);
  EXPECT_EQ(Utterances(), 1'000U) << "another hour";
  Report(1, 500, "another sampler");
  EXPECT_EQ(Utterances(), 1'500U) << "another caller";
  EXPECT_EQ(Lease(0), "GRANT");
  EXPECT_EQ(Lease(1), "GRANT");
  Report(1, 800);
  EXPECT_EQ(Utterances(), 1'600U) << "a later report";
  EXPECT_EQ(Lease(2), "GRANT");
  Report(1, 0);
  EXPECT_EQ(Utterances(), 800U);
  EXPECT_EQ(Lease(3), "CAP_SPENT") << "less than was granted";
  world_.Restart();
  EXPECT_EQ(Utterances(), 800U);
  EXPECT_EQ(Lease(3), "CAP_SPENT");
}

TEST_F(ReviewRatesTest, AMonthThatEndsLeavesItsPopulationAndItsCountBehind) {
  Report(1, 1'000);
  EXPECT_EQ(Lease(0), "GRANT");
  world_.Wait(base::Days(31));
  reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
  EXPECT_EQ(Lease(1, "s"), "CAP_SPENT");
  Report(0, 500);
  EXPECT_EQ(Lease(1, "s"), "GRANT");
  EXPECT_EQ(Lease(2, "s"), "CAP_SPENT");
}

TEST_F(ReviewRatesTest, TwoReportsOfOneRowAreBothThere) {
  faulty_.faulty->BeforeNextCommit([&] { Report(3, 40); });
  Report(2, 2);
  EXPECT_EQ(Utterances(), 42U);
}

TEST_F(ReviewRatesTest, OldMonthsGo) {
  Report(0, 1'000);
  EXPECT_EQ(Lease(0), "GRANT");
  const base::Month first = base::Month::Of(world_.Now());
  const auto of = [&](base::Month month) {
    return world_.review_rates().Of(month, *world_.core().policies.rules()).size();
  };
  EXPECT_EQ(of(first), 1U);
  world_.Wait(base::Days(25 * 31));
  Report(0, 1);
  EXPECT_EQ(of(first), 0U);
  EXPECT_EQ(of(base::Month::Of(world_.Now())), 1U);
}

// Grants that were opened by what the store has, one by one.
uint64_t HeardBySight(const World& world) {
  uint64_t heard = 0;
  for (uint16_t number = 0; number < world.store().partition_count(); ++number) {
    EXPECT_TRUE(world.store()
                    .Scan({number}, store::Table::kReview, "", "", SIZE_MAX,
                          [&](std::string_view key, std::string_view value) {
                            service::GrantRow row;
                            if (key[0] == service::kHeard) ++heard;
                            if (key[0] != service::kGrants) return true;
                            EXPECT_TRUE(DecodeGrantRow(value, &row));
                            if (row.grant.opened_at.IsSet()) ++heard;
                            return true;
                          })
                    .ok());
  }
  return heard;
}

TEST_F(ReviewRatesTest, TheMeasuredRateIsThatOfANaiveCount) {
  const uint64_t seed = 20'261'130;
  std::mt19937_64 dice(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  Report(0, 100'000);
  for (int day = 0; day < 8; ++day) {
    for (int i = 0; i < 10; ++i) {
      const std::string recording = "r" + std::to_string(dice() % 2) + "." + std::to_string(day % 3);
      const service::LeaseAnswer answer =
          reviewing_.TryLease(Name(i), recording, "reviewer" + std::to_string(day) + "." + std::to_string(i));
      if (Reviewing::Said(answer) != "GRANT") continue;
      const Held held = reviewing_.HeldOf(answer);
      for (uint64_t opens = dice() % 4; opens > 0; --opens) EXPECT_TRUE(reviewing_.Open(held).ok());
      if (dice() % 2 == 0) {
        EXPECT_TRUE(reviewing_.Submit(held).ok());
      }
    }
    world_.Wait(base::Hours(2));
    reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
    if (day == 4) world_.Restart();
  }
  const uint64_t heard = HeardBySight(world_);
  EXPECT_GT(heard, 20U);
  ASSERT_EQ(Counts().size(), 1U);
  EXPECT_EQ(Counts()[0].heard, heard);
  EXPECT_EQ(Counts()[0].parts_per_million, 2'000U);
  const domain::MeasuredRate rate = domain::MeasureRate(Counts()[0].heard, Counts()[0].utterances);
  EXPECT_DOUBLE_EQ(rate.rate, static_cast<double>(heard) * 10);
  EXPECT_LT(rate.low, rate.rate);
  EXPECT_GT(rate.high, rate.rate);
  world_.Restart();
  EXPECT_EQ(Counts()[0].heard, heard) << "by the rows alone";
}

TEST_F(ReviewRatesTest, WhatWasHeardStaysCountedWhereTheAccountGoes) {
  Report(0, 1'000);
  EXPECT_TRUE(reviewing_.Open(reviewing_.Lease(Name(0), "r")).ok());
  domain::Selector closure;
  closure.kind = domain::SelectorKind::kAccountClosure;
  closure.captured = domain::OrderedTimes::Always();
  Deleting deleting(world_);
  deleting.Register(System("audio"));
  deleting.Ask(Name(0), closure);
  EXPECT_EQ(deleting.Work("audio"), 1U);
  ASSERT_TRUE(world_.erasures().EraseKeys().ok());
  EXPECT_EQ(HeardBySight(world_), 0U);
  EXPECT_EQ(Counts()[0].heard, 1U);
}

// By hand: 10 of 1,000; none of 1,000; all of 10; more than there are.
TEST(MeasuredRate, IsWilsons) {
  const domain::MeasuredRate ten = domain::MeasureRate(10, 1'000);
  EXPECT_DOUBLE_EQ(ten.rate, 10'000);
  EXPECT_NEAR(ten.low, 5'441, 1);
  EXPECT_NEAR(ten.high, 18'309, 1);
  const domain::MeasuredRate none = domain::MeasureRate(0, 1'000);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 3'827, 1);
  const domain::MeasuredRate all = domain::MeasureRate(10, 10);
  EXPECT_NEAR(all.low, 722'467, 1);
  EXPECT_NEAR(all.high, 1e6, 1e-6);
  EXPECT_EQ(domain::MeasureRate(20, 10).rate, 1e6);
}

// The true rate lies in 95 of 100 intervals.
TEST(MeasuredRate, HoldsTheTrueRateSoOften) {
  const uint64_t seed = 7;
  std::mt19937_64 dice(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr double kTrue = 0.002;
  constexpr int kMonths = 2'000;
  std::binomial_distribution<uint64_t> month(50'000, kTrue);
  int held = 0;
  for (int i = 0; i < kMonths; ++i) {
    const domain::MeasuredRate rate = domain::MeasureRate(month(dice), 50'000);
    held += rate.low <= kTrue * 1e6 && kTrue * 1e6 <= rate.high ? 1 : 0;
  }
  EXPECT_NEAR(held / static_cast<double>(kMonths), 0.95, 0.02);
}

}  // namespace
}  // namespace consent::test::review_rates_test
