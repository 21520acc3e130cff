// Deadlines of deletion requests and holiday calendars as policy data: every bound, what is built of them, what
// differs.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/policy/compare.h"
#include "daemon/policy/validate.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy::deadlines_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

v1::Regime* R(v1::Policy* p, int i) { return p->mutable_regimes(i); }
v1::DeletionDeadlines* D(v1::Policy* p, int i) { return R(p, i)->mutable_deletion_deadlines(); }
v1::HolidayCalendar* Us(v1::Policy* p) { return p->mutable_holiday_calendars(0); }

base::Date Day(const char* text) {
  base::Date date;
  EXPECT_TRUE(base::ParseDate(text, &date)) << text;
  return date;
}

std::string NameOf(int i) { return "c" + std::to_string(i); }

void AddCalendar(v1::Policy* p, const std::string& name, const std::vector<std::string>& dates) {
  v1::HolidayCalendar* calendar = p->add_holiday_calendars();
  calendar->set_name(name);
  for (const std::string& date : dates) calendar->add_dates(date);
}

// `n` dates, one day apart, from 2000 on.
void FillDates(v1::HolidayCalendar* calendar, int n) {
  calendar->clear_dates();
  for (int32_t day = Day("2000-01-01").days; calendar->dates_size() < n; ++day) {
    calendar->add_dates(base::FormatDate({day}));
  }
}

struct Wrong {
  const char* name;
  std::function<void(v1::Policy*)> change;
  std::string path;
  std::string message;
};

class DeadlinesValidateTest : public ::testing::TestWithParam<Wrong> {};

TEST_P(DeadlinesValidateTest, NamesPathAndBound) {
  v1::Policy policy = PolicyWithDeadlines();
  GetParam().change(&policy);
  const std::vector<Problem> problems = Validate(policy);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems[0].path, GetParam().path);
  EXPECT_THAT(problems[0].message, HasSubstr(GetParam().message));
  EXPECT_THAT(ParseError(ToJson(policy)), HasSubstr(GetParam().path)) << "no file with it is read";
}

std::string In(int regime, const char* field) {
  return "regimes[" + std::to_string(regime) + "].deletion_deadlines." + field;
}

const Wrong kPeriods[] = {
    {"Empty", [](auto* p) { D(p, 0)->Clear(); }, In(0, "confirmation"), "is missing"},
    {"NoConfirmation", [](auto* p) { D(p, 1)->clear_confirmation(); }, In(1, "confirmation"), "is missing"},
    {"NoCompletion", [](auto* p) { D(p, 1)->clear_completion(); }, In(1, "completion"), "is missing"},
    {"NoNotice", [](auto* p) { D(p, 1)->clear_extension_notice(); }, In(1, "extension_notice"), "is missing"},
    {"NoticeAlone", [](auto* p) { D(p, 1)->clear_extension(); }, In(1, "extension_notice"),
     "only where there is an extension"},
    {"UnitMissing", [](auto* p) { D(p, 0)->mutable_confirmation()->clear_unit(); }, In(0, "confirmation.unit"),
     "0 is no PeriodUnit"},
    {"UnitNumber", [](auto* p) { D(p, 0)->mutable_extension()->set_unit(static_cast<v1::PeriodUnit>(9)); },
     In(0, "extension.unit"), "9 is no"},
    {"CountZero", [](auto* p) { D(p, 0)->mutable_confirmation()->clear_count(); }, In(0, "confirmation.count"),
     "0 is not within 1 to 366"},
    {"CountNegative", [](auto* p) { D(p, 0)->mutable_completion()->set_count(-1); }, In(0, "completion.count"),
     "-1 is not within 1 to 24"},
    {"BusinessDaysMany", [](auto* p) { D(p, 0)->mutable_confirmation()->set_count(367); }, In(0, "confirmation.count"),
     "1 to 366"},
    {"DaysMany", [](auto* p) { D(p, 1)->mutable_extension()->set_count(367); }, In(1, "extension.count"), "1 to 366"},
    {"MonthsMany", [](auto* p) { D(p, 0)->mutable_extension()->set_count(25); }, In(0, "extension.count"), "1 to 24"},
    {"NoticeZero", [](auto* p) { D(p, 1)->mutable_extension_notice()->clear_count(); }, In(1, "extension_notice.count"),
     "1 to 366"},
    {"NoticeLonger", [](auto* p) { D(p, 1)->mutable_extension_notice()->set_count(46); },
     In(1, "extension_notice.count"), "46 is longer than the completion, which has 45"},
    {"NoticeInAnotherUnit",
     [](auto* p) { D(p, 0)->mutable_extension_notice()->set_unit(v1::PERIOD_UNIT_CALENDAR_DAYS); },
     In(0, "extension_notice.unit"), "must be the completion's"},
};

const Wrong kCalendars[] = {
    {"Unknown", [](auto* p) { R(p, 0)->set_holiday_calendar("eu"); }, "regimes[0].holiday_calendar",
     "\"eu\" names no holiday calendar"},
    {"ZoneForm", [](auto* p) { R(p, 0)->set_time_zone("../etc/passwd"); }, "regimes[0].time_zone", "[A-Za-z0-9_+/-]"},
    {"ZoneLong", [](auto* p) { R(p, 0)->set_time_zone(std::string(65, 'z')); }, "regimes[0].time_zone", "1 to 64"},
    {"Dropped", [](auto* p) { p->clear_holiday_calendars(); }, "regimes[1].holiday_calendar",
     "\"us\" names no holiday calendar"},
    {"Many",
     [](auto* p) {
       for (int i = 0; i < 64; ++i) AddCalendar(p, NameOf(i), {"2026-01-01"});
     },
     "holiday_calendars", "65 entries are not within 0 to 64"},
    {"NameMissing", [](auto* p) { AddCalendar(p, "", {"2026-01-01"}); }, "holiday_calendars[1].name",
     "1 to 64 bytes of [a-z0-9_-]"},
    {"NameForm", [](auto* p) { AddCalendar(p, "US", {"2026-01-01"}); }, "holiday_calendars[1].name", "[a-z0-9_-]"},
    {"NameLong", [](auto* p) { AddCalendar(p, std::string(65, 'c'), {"2026-01-01"}); }, "holiday_calendars[1].name",
     "1 to 64"},
    {"NameTwice", [](auto* p) { AddCalendar(p, "us", {"2026-01-01"}); }, "holiday_calendars[1].name",
     "already at holiday_calendars[0].name"},
    {"NoDate", [](auto* p) { Us(p)->clear_dates(); }, "holiday_calendars[0].dates",
     "0 entries are not within 1 to 4096"},
    {"DatesMany", [](auto* p) { FillDates(Us(p), 4097); }, "holiday_calendars[0].dates",
     "4097 entries are not within 1 to 4096"},
    {"DateTwice", [](auto* p) { Us(p)->set_dates(1, "2026-06-19"); }, "holiday_calendars[0].dates[1]",
     "2026-06-19 is not later than the date before it, 2026-06-19"},
    {"DateEarlier", [](auto* p) { Us(p)->set_dates(2, "2026-07-02"); }, "holiday_calendars[0].dates[2]",
     "not later than the date before it, 2026-07-03"},
    {"DateMonth", [](auto* p) { Us(p)->set_dates(1, "2026-07"); }, "holiday_calendars[0].dates[1]",
     "\"2026-07\" is not a date YYYY-MM-DD"},
    {"DateYear", [](auto* p) { Us(p)->set_dates(1, "2026"); }, "holiday_calendars[0].dates[1]", "YYYY-MM-DD"},
    {"DateTime", [](auto* p) { Us(p)->set_dates(1, "2026-07-03T00:00:00Z"); }, "holiday_calendars[0].dates[1]",
     "YYYY-MM-DD"},
    {"DateNone", [](auto* p) { Us(p)->set_dates(1, "2026-02-29"); }, "holiday_calendars[0].dates[1]", "YYYY-MM-DD"},
    {"DateEmpty", [](auto* p) { Us(p)->set_dates(1, ""); }, "holiday_calendars[0].dates[1]", "YYYY-MM-DD"},
    {"DateEarly", [](auto* p) { Us(p)->set_dates(0, "1969-12-31"); }, "holiday_calendars[0].dates[0]",
     "within 1970 to 9999"},
};

std::string WrongName(const ::testing::TestParamInfo<Wrong>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Periods, DeadlinesValidateTest, ::testing::ValuesIn(kPeriods), WrongName);
INSTANTIATE_TEST_SUITE_P(Calendars, DeadlinesValidateTest, ::testing::ValuesIn(kCalendars), WrongName);

TEST(DeadlinesValidate, EdgesAreValid) {
  v1::Policy policy = PolicyWithDeadlines();
  EXPECT_THAT(Validate(policy), IsEmpty());
  EXPECT_EQ(ParseError(ToJson(policy)), "");
  D(&policy, 0)->mutable_confirmation()->set_count(366);
  D(&policy, 0)->mutable_completion()->set_count(24);
  D(&policy, 0)->mutable_extension()->set_unit(v1::PERIOD_UNIT_BUSINESS_DAYS);  // an extension may have another unit
  D(&policy, 0)->mutable_extension()->set_count(366);
  D(&policy, 0)->mutable_extension_notice()->set_count(24);
  D(&policy, 1)->clear_extension();
  D(&policy, 1)->clear_extension_notice();
  R(&policy, 2)->set_holiday_calendar("us");  // without deadlines of its own
  FillDates(Us(&policy), 4096);
  for (int i = 0; i < 63; ++i) AddCalendar(&policy, NameOf(i), {"1970-01-01", "9999-12-31"});
  const std::vector<Problem> problems = Validate(policy);
  EXPECT_TRUE(problems.empty()) << problems[0].path << ": " << problems[0].message;
}

TEST(DeadlinesValidate, AllProblemsAtOnceInTheOrderOfTheFields) {
  v1::Policy policy = PolicyWithDeadlines();
  D(&policy, 0)->clear_confirmation();
  D(&policy, 0)->mutable_extension()->set_count(0);
  R(&policy, 1)->set_holiday_calendar("x");
  policy.clear_default_age_of_consent();
  Us(&policy)->set_dates(0, "tomorrow");
  std::vector<std::string> paths;
  for (const Problem& problem : Validate(policy)) paths.push_back(problem.path);
  EXPECT_THAT(paths, ElementsAre(In(0, "confirmation"), In(0, "extension.count"), "regimes[1].holiday_calendar",
                                 "default_age_of_consent", "holiday_calendars[0].dates[0]"));
}

TEST(DeadlinesDocument, IsReadStrictly) {
  const std::string json = ToJson(PolicyWithDeadlines());
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = json;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return ParseError(text.replace(at, from.size(), to));
  };
  EXPECT_THAT(replaced("\"count\":45", "\"count\":45,\"from\":\"receipt\""),
              StartsWith("policy: regimes[1].deletionDeadlines.completion.from: unknown key"));
  EXPECT_THAT(replaced("\"confirmation\":", "\"answer\":{},\"confirmation\":"),
              StartsWith("policy: regimes[0].deletionDeadlines.answer: unknown key"));
  EXPECT_THAT(replaced("\"name\":\"us\",\"dates\"", "\"name\":\"us\",\"days\":[],\"dates\""),
              StartsWith("policy: holidayCalendars[0].days: unknown key"));
  EXPECT_THAT(replaced("\"count\":45", "\"count\":\"45\""),
              StartsWith("policy: regimes[1].deletionDeadlines.completion.count: must be a number"));
  EXPECT_THAT(replaced("\"deletionDeadlines\":{", "\"deletionDeadlines\":[],\"x\":{"),
              StartsWith("policy: regimes[0].deletionDeadlines: must not be a list"));
  EXPECT_NE(replaced("PERIOD_UNIT_MONTHS", "MONTHS"), "");
  EXPECT_NE(replaced("\"2026-06-19\"", "20260619"), "");
}

TEST(DeadlinesRules, AreBuiltAsStated) {
  const PolicyRow row = Activated(PolicyWithDeadlines(), At(1));
  const domain::Rules rules = BuildRules(row.document, row.state, {});
  const domain::DeadlineRules& eea = rules.regimes[0].deletion;
  EXPECT_EQ(eea.confirmation, (domain::Period{10, domain::PeriodUnit::kBusinessDays}));
  EXPECT_EQ(eea.completion, (domain::Period{1, domain::PeriodUnit::kMonths}));
  ASSERT_TRUE(eea.extension.has_value());
  EXPECT_EQ(eea.extension->length, (domain::Period{2, domain::PeriodUnit::kMonths}));
  EXPECT_EQ(eea.extension->notice, (domain::Period{1, domain::PeriodUnit::kMonths}));
  EXPECT_THAT(eea.holidays, IsEmpty());
  const domain::DeadlineRules& us = rules.regimes[1].deletion;
  EXPECT_EQ(us.completion, (domain::Period{45, domain::PeriodUnit::kCalendarDays}));
  EXPECT_EQ(us.extension->length, us.completion);
  EXPECT_EQ(us.extension->notice, us.completion);
  EXPECT_THAT(us.holidays, ElementsAre(Day("2026-06-19"), Day("2026-07-03"), Day("2026-09-07")));
  EXPECT_EQ(rules.regimes[2].deletion, domain::DeadlineRules{}) << "one that states nothing";
}

TEST(DeadlinesRules, WithoutExtensionThereIsNone) {
  v1::Policy policy = PolicyWithDeadlines();
  D(&policy, 1)->clear_extension();
  D(&policy, 1)->clear_extension_notice();
  R(&policy, 2)->set_holiday_calendar("us");
  const PolicyRow row = Activated(policy, At(1));
  const domain::Rules rules = BuildRules(row.document, row.state, {});
  EXPECT_FALSE(rules.regimes[1].deletion.extension.has_value());
  EXPECT_EQ(rules.regimes[2].deletion.completion, domain::DeadlineRules{}.completion);
  EXPECT_EQ(rules.regimes[2].deletion.holidays.size(), 3U) << "its business days are its calendar's all the same";
}

// What the machine's database lacks is refused where a file is read, and ends no deadline later where it was stored
// before.
TEST(DeadlinesRules, DaysOfTheRegimesZoneCountBesideUtcs) {
  v1::Policy policy = PolicyWithDeadlines();
  R(&policy, 0)->set_time_zone("America/Los_Angeles");
  EXPECT_TRUE(CheckTimeZones(Parsed(policy)).ok());
  R(&policy, 1)->set_time_zone("Mars/Olympus");
  EXPECT_THAT(std::string(CheckTimeZones(Parsed(policy)).message()),
              HasSubstr("regimes[1].time_zone: \"Mars/Olympus\" is no zone"));
  const PolicyRow row = Activated(policy, At(1));
  const domain::Rules rules = BuildRules(row.document, row.state, {});
  EXPECT_EQ(rules.regimes[0].deletion.zones, std::vector<base::TimeZone>{*base::TimeZone::Load("America/Los_Angeles")});
  EXPECT_THAT(rules.regimes[1].deletion.zones,
              ElementsAre(base::TimeZone::EastOfUtc(base::Hours(14)), base::TimeZone::EastOfUtc(base::Hours(-12))));
  EXPECT_THAT(rules.regimes[2].deletion.zones, IsEmpty());
}

struct Change {
  const char* name;
  std::function<void(v1::Policy*)> change;
  const char* path;
  const char* what;
  DifferenceKind kind;
};

class DeadlinesCompareTest : public ::testing::TestWithParam<Change> {};

// Exactly one difference: more time loosens, and so may what cannot be compared; allowed however much is in use.
TEST_P(DeadlinesCompareTest, IsListedAndAllowed) {
  const PolicyRow previous = Activated(PolicyWithDeadlines(), At(1));
  v1::Policy policy = PolicyWithDeadlines();
  GetParam().change(&policy);
  policy.set_version("v2");
  const Document next = Parsed(policy);
  const std::vector<Difference> differences = Compare(previous, next);
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_EQ(differences[0].path, GetParam().path);
  EXPECT_EQ(differences[0].what, GetParam().what);
  EXPECT_EQ(differences[0].kind, GetParam().kind);
  const absl::Status status = CheckActivation(&previous, next, Usage{{1, 2, 3}, {1, 2}});
  EXPECT_TRUE(status.ok()) << status;
}

const Change kChanges[] = {
    {"Confirmation", [](auto* p) { D(p, 0)->mutable_confirmation()->set_count(1); },
     "regimes[\"eea\"].deletion_deadlines.confirmation", "10 business days becomes 1 business day",
     DifferenceKind::kRestriction},
    {"CompletionLonger", [](auto* p) { D(p, 1)->mutable_completion()->set_count(90); },
     "regimes[\"us\"].deletion_deadlines.completion", "45 calendar days becomes 90 calendar days",
     DifferenceKind::kLoosening},
    {"ExtensionInAnotherUnit", [](auto* p) { D(p, 1)->mutable_extension()->set_unit(v1::PERIOD_UNIT_BUSINESS_DAYS); },
     "regimes[\"us\"].deletion_deadlines.extension", "45 calendar days becomes 45 business days",
     DifferenceKind::kLoosening},
    {"Notice", [](auto* p) { D(p, 1)->mutable_extension_notice()->set_count(30); },
     "regimes[\"us\"].deletion_deadlines.extension_notice", "45 calendar days becomes 30 calendar days",
     DifferenceKind::kRestriction},
    {"NoExtension",
     [](auto* p) {
       D(p, 0)->clear_extension();
       D(p, 0)->clear_extension_notice();
     },
     "regimes[\"eea\"].deletion_deadlines.extension", "dropped", DifferenceKind::kRestriction},
    {"StatesNothing", [](auto* p) { R(p, 0)->clear_deletion_deadlines(); },
     "regimes[\"eea\"].deletion_deadlines.extension", "dropped", DifferenceKind::kRestriction},
    {"StatesMore", [](auto* p) { *D(p, 2) = *D(p, 0); }, "regimes[\"unknown\"].deletion_deadlines.extension",
     "new: 2 months", DifferenceKind::kLoosening},
    {"CalendarNamed", [](auto* p) { R(p, 0)->set_holiday_calendar("us"); }, "regimes[\"eea\"].holiday_calendar",
     "none becomes \"us\"", DifferenceKind::kLoosening},
    {"CalendarNoMore", [](auto* p) { R(p, 1)->clear_holiday_calendar(); }, "regimes[\"us\"].holiday_calendar",
     "\"us\" becomes none", DifferenceKind::kRestriction},
    {"ZoneNamed", [](auto* p) { R(p, 0)->set_time_zone("Europe/Rome"); }, "regimes[\"eea\"].time_zone",
     "none becomes \"Europe/Rome\"", DifferenceKind::kRestriction},
    {"CalendarNew", [](auto* p) { AddCalendar(p, "eu", {"2026-05-09"}); }, "holiday_calendars[\"eu\"]", "new",
     DifferenceKind::kNeutral},
    {"DateGained",
     [](auto* p) {
       Us(p)->add_dates("2026-10-12");
       Us(p)->add_dates("2026-11-11");
     },
     "holiday_calendars[\"us\"].dates", "gains 2026-10-12, 2026-11-11", DifferenceKind::kLoosening},
    {"DateLost", [](auto* p) { Us(p)->mutable_dates()->RemoveLast(); }, "holiday_calendars[\"us\"].dates",
     "loses 2026-09-07", DifferenceKind::kRestriction},
};

std::string ChangeName(const ::testing::TestParamInfo<Change>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Changes, DeadlinesCompareTest, ::testing::ValuesIn(kChanges), ChangeName);

TEST(DeadlinesCompare, AddingWhatHoldsAnywayIsNoDifference) {
  const PolicyRow previous = Activated(SamplePolicy(), At(1));
  v1::Policy policy = SamplePolicy();
  *D(&policy, 2) = *D(&policy, 0) = PolicyWithDeadlines().regimes(0).deletion_deadlines();
  for (const int i : {0, 2}) {
    D(&policy, i)->clear_extension();
    D(&policy, i)->clear_extension_notice();
  }
  policy.set_version("v2");
  EXPECT_THAT(Compare(previous, Parsed(policy)), IsEmpty());
}

TEST(DeadlinesCompare, ACalendarIsDropped) {
  const PolicyRow previous = Activated(PolicyWithDeadlines(), At(1));
  v1::Policy policy = PolicyWithDeadlines();
  policy.set_version("v2");
  R(&policy, 1)->clear_holiday_calendar();
  policy.clear_holiday_calendars();
  const std::vector<Difference> differences = Compare(previous, Parsed(policy));
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[1].path, "holiday_calendars[\"us\"]");
  EXPECT_EQ(differences[1].what, "dropped");
  EXPECT_EQ(differences[1].kind, DifferenceKind::kNeutral);
}

TEST(DeadlinesCodec, RowsKeepThem) {
  const PolicyRow row = Activated(PolicyWithDeadlines(), At(1));
  const absl::StatusOr<PolicyRow> read = Reread(row.document, row.state);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->document.json(), row.document.json());
  EXPECT_EQ(BuildRules(read->document, read->state, {}).regimes[1].deletion,
            BuildRules(row.document, row.state, {}).regimes[1].deletion);
}

}  // namespace
}  // namespace consent::policy::deadlines_test
