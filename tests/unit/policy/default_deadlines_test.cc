// The deadlines that ship: their figures, and the calendar by the statute.
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/policy/default_policy.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy {
namespace {

using domain::Period;
using domain::PeriodUnit;

Document Shipped() {
  absl::StatusOr<Document> document = Document::Parse(std::string(DefaultPolicyJson()));
  EXPECT_TRUE(document.ok()) << document.status();
  return *std::move(document);
}

domain::Rules ShippedRules() {
  const PolicyRow row = Activated(Shipped().policy(), At(1));
  return BuildRules(row.document, row.state, {});
}

const domain::DeadlineRules& Of(const domain::Rules& rules, const std::string& name) {
  for (const domain::Regime& regime : rules.regimes) {
    if (regime.name == name) return regime.deletion;
  }
  ADD_FAILURE() << name;
  return rules.regimes[0].deletion;
}

std::string Text(base::Instant t) { return base::FormatRfc3339(t); }

base::Instant Time(const std::string& text) {
  base::Instant t;
  EXPECT_TRUE(base::ParseRfc3339(text, &t)) << text;
  return t;
}

TEST(DefaultDeadlines, Figures) {
  const domain::Rules rules = ShippedRules();
  const Period ten_business_days{10, PeriodUnit::kBusinessDays};
  const Period month{1, PeriodUnit::kMonths};
  const Period forty_five{45, PeriodUnit::kCalendarDays};
  for (const char* name : {"eea", "uk"}) {
    const domain::DeadlineRules gdpr{
        ten_business_days, month, domain::Extension{{2, PeriodUnit::kMonths}, month}, {}, {}};
    EXPECT_EQ(Of(rules, name), gdpr) << name;
  }
  domain::DeadlineRules us = Of(rules, "us");
  EXPECT_EQ(us.holidays.size(), 33U);
  us.holidays.clear();
  domain::DeadlineRules ccpa{ten_business_days, forty_five, domain::Extension{forty_five, forty_five}, {}, {}};
  ccpa.appeal_answer = forty_five;
  EXPECT_EQ(us, ccpa);
  EXPECT_EQ(Of(rules, "unknown"), domain::DeadlineRules{}) << "what counts where a policy is silent";
}

// Hard cases 44 and 45, by the shipped policy.
TEST(DefaultDeadlines, HardCases) {
  const domain::Rules rules = ShippedRules();
  for (const char* region : {"DE", "GB", "JP"}) {
    const domain::DeadlineRules& deletion = rules.regimes[rules.ForRegion(RegionOf(region)).regime].deletion;
    EXPECT_EQ(Text(domain::DeadlinesOf(Time("2026-01-31T18:00:00Z"), deletion).complete_by), "2026-03-01T00:00:00Z")
        << region;
    EXPECT_EQ(domain::MayExtend(Time("2026-01-31T18:00:00Z"), Time("2026-02-28T18:00:00Z"), deletion),
              std::string(region) != "JP");
  }
  const domain::DeadlineRules& us = rules.regimes[rules.ForRegion(RegionOf("US-CA")).regime].deletion;
  const base::Instant received = Time("2026-06-18T18:00:00Z");
  EXPECT_EQ(Text(domain::DeadlinesOf(received, us).confirm_by), "2026-07-07T00:00:00Z")
      << "19 June and 3 July are holidays";
  EXPECT_EQ(Text(domain::DeadlinesOf(received, us).complete_by), "2026-08-03T00:00:00Z") << "day 45 is 2 August";
  EXPECT_TRUE(domain::MayExtend(received, Time("2026-08-02T23:59:59Z"), us));
  EXPECT_FALSE(domain::MayExtend(received, Time("2026-08-03T00:00:00Z"), us));
  EXPECT_EQ(Text(domain::ExtendedDeadline(received, us)), "2026-09-17T00:00:00Z") << "day 90 is 16 September";
}

TEST(DefaultDeadlines, NoRegimeIsStricterThanWhatCountsForUnknownRegions) {
  const domain::Rules rules = ShippedRules();
  const domain::DeadlineRules strictest;
  for (base::Instant received = Time("2026-01-01T12:00:00Z"); received < Time("2029-01-01T00:00:00Z");
       received = received + base::Days(1)) {
    const domain::Deadlines least = domain::DeadlinesOf(received, strictest);
    for (const domain::Regime& regime : rules.regimes) {
      const domain::Deadlines deadlines = domain::DeadlinesOf(received, regime.deletion);
      ASSERT_LE(least.confirm_by, deadlines.confirm_by) << regime.name << " " << Text(received);
      ASSERT_LE(least.complete_by, deadlines.complete_by) << regime.name << " " << Text(received);
    }
  }
}

// 5 U.S.C. 6103: the holidays by their days of the month or week; one on a Saturday is observed on the Friday before
// (6103(b)(1)), one on a Sunday on the Monday after (Executive Order 11582).
class FederalHolidays {
 public:
  std::vector<base::Date> Observed(int first_year, int last_year) {
    for (int year = first_year - 1; year <= last_year + 1; ++year) {
      Fixed(year, 1, 1);
      Weekday(year, 1, 15, kMonday);  // the third Monday, Martin Luther King, Jr.
      Weekday(year, 2, 15, kMonday);  // the third, Washington
      Weekday(year, 5, 25, kMonday);  // the last of a month of 31 days, Memorial Day
      Fixed(year, 6, 19);
      Fixed(year, 7, 4);
      Weekday(year, 9, 1, kMonday);   // the first, Labor Day
      Weekday(year, 10, 8, kMonday);  // the second, Columbus Day
      Fixed(year, 11, 11);
      Weekday(year, 11, 22, kThursday);  // the fourth, Thanksgiving Day
      Fixed(year, 12, 25);
    }
    std::vector<base::Date> within;
    for (const base::Date date : dates_) {
      if (date >= On(first_year, 1, 1) && date < On(last_year + 1, 1, 1)) within.push_back(date);
    }
    return within;
  }

 private:
  static constexpr int kThursday = 0;  // as 1970-01-01
  static constexpr int kSaturday = 2;
  static constexpr int kSunday = 3;
  static constexpr int kMonday = 4;

  static base::Date On(int year, int month, int day) {
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
    base::Date date;
    EXPECT_TRUE(base::ParseDate(text, &date)) << text;
    return date;
  }
  void Fixed(int year, int month, int day) {
    base::Date date = On(year, month, day);
    if (date.days % 7 == kSaturday) --date.days;
    if (date.days % 7 == kSunday) ++date.days;
    dates_.insert(date);
  }
  // The first such weekday from `day` on.
  void Weekday(int year, int month, int day, int weekday) {
    base::Date date = On(year, month, day);
    while (date.days % 7 != weekday) ++date.days;
    dates_.insert(date);
  }

  std::set<base::Date> dates_;
};

TEST(DefaultDeadlines, AppealsAreAnsweredAsFastAsAnyShippedRegimeWhereAPolicyIsSilent) {
  const domain::Rules rules = ShippedRules();
  const domain::DeadlineRules silent;
  for (const domain::Regime& regime : rules.regimes) {
    EXPECT_EQ(regime.deletion.appeal_acknowledgement, silent.appeal_acknowledgement) << regime.name;
    EXPECT_EQ(regime.deletion.appeal_answer,
              regime.name == "us" ? Period({45, PeriodUnit::kCalendarDays}) : silent.appeal_answer);
    EXPECT_GE(regime.ask_again_after, base::Days(366)) << "Cal. Civ. Code 1798.135(c)(4): at least 12 months";
    EXPECT_LE(regime.ask_again_after, domain::Regime().ask_again_after) << "silence never asks earlier";
  }
}

TEST(DefaultDeadlines, TheCalendarIsThatOfTheStatute) {
  const v1::Policy policy = Shipped().policy();
  ASSERT_EQ(policy.holiday_calendars_size(), 1);
  EXPECT_EQ(policy.holiday_calendars(0).name(), "us-federal");
  EXPECT_EQ(Of(ShippedRules(), "us").holidays, FederalHolidays().Observed(2026, 2028));
}

}  // namespace
}  // namespace consent::policy
