// Deadlines: the hard cases by number, and the corners of calendars.
#include "daemon/domain/deadlines.h"

#include <gtest/gtest.h>

#include <climits>
#include <string>
#include <vector>

#include "tests/unit/domain/small_world.h"

namespace consent::domain::deadlines_test {
namespace {

constexpr PeriodUnit kDays = PeriodUnit::kCalendarDays;
constexpr PeriodUnit kBusiness = PeriodUnit::kBusinessDays;
constexpr PeriodUnit kMonths = PeriodUnit::kMonths;
constexpr base::Span kTick = base::Microseconds(1);

// GDPR Art. 12(3).
DeadlineRules Gdpr() {
  DeadlineRules rules;
  rules.confirmation = {10, kBusiness};
  rules.completion = {1, kMonths};
  rules.extension = Extension{{2, kMonths}, {1, kMonths}};
  return rules;
}

// 11 CCR 7021.
DeadlineRules Ccpa() {
  DeadlineRules rules;
  rules.confirmation = {10, kBusiness};
  rules.completion = {45, kDays};
  rules.extension = Extension{{45, kDays}, {45, kDays}};
  rules.holidays = {Day("2026-06-19"), Day("2026-07-03"), Day("2026-07-04")};
  return rules;
}

std::string End(const std::string& received, Period period, const std::vector<base::Date>& holidays = {}) {
  DeadlineRules rules;
  rules.holidays = holidays;
  return base::FormatRfc3339(EndOf(At(received), period, rules));
}

TEST(Deadlines, HardCase44GdprRequestOf31JanuaryIsDue28February) {
  for (const char* time : {"2026-01-31T00:00:00Z", "2026-01-31T12:34:56.789Z", "2026-01-31T23:59:59.999999Z"}) {
    EXPECT_EQ(base::FormatRfc3339(DeadlinesOf(At(time), Gdpr()).complete_by), "2026-03-01T00:00:00Z")
        << time << ": the end of 28 February";
    EXPECT_EQ(base::FormatRfc3339(ExtendedDeadline(At(time), Gdpr())), "2026-05-01T00:00:00Z")
        << time << ": three months from receipt";
  }
  EXPECT_EQ(base::FormatRfc3339(DeadlinesOf(At("2026-01-30T23:59:59.999999Z"), Gdpr()).complete_by),
            "2026-03-01T00:00:00Z");
  EXPECT_EQ(base::FormatRfc3339(DeadlinesOf(At("2026-01-28T00:00:00Z"), Gdpr()).complete_by), "2026-03-01T00:00:00Z");
  EXPECT_EQ(base::FormatRfc3339(DeadlinesOf(At("2026-01-27T23:59:59.999999Z"), Gdpr()).complete_by),
            "2026-02-28T00:00:00Z");
  EXPECT_EQ(base::FormatRfc3339(DeadlinesOf(At("2026-02-01T00:00:00Z"), Gdpr()).complete_by), "2026-03-02T00:00:00Z");
}

TEST(Deadlines, HardCase45CcpaIsDueOnDay45AndAnExtensionAfterItIsRefused) {
  const Instant received = At("2026-03-02T08:00:00Z");
  const Instant day44 = At("2026-04-15T12:00:00Z");
  const Instant day45_is_over = At("2026-04-17T00:00:00Z");
  EXPECT_EQ(DeadlinesOf(received, Ccpa()).complete_by, day45_is_over);
  EXPECT_TRUE(MayExtend(received, received, Ccpa()));
  EXPECT_TRUE(MayExtend(received, day44, Ccpa()));
  EXPECT_TRUE(MayExtend(received, day45_is_over - kTick, Ccpa())) << "on day 45 it is still in time";
  EXPECT_FALSE(MayExtend(received, day45_is_over, Ccpa()));
  EXPECT_FALSE(MayExtend(received, day45_is_over + base::Days(30), Ccpa()));
  EXPECT_EQ(base::FormatRfc3339(ExtendedDeadline(received, Ccpa())), "2026-06-01T00:00:00Z") << "day 90 is 31 May";
}

TEST(Deadlines, MonthsEndOnTheSameNumberOrTheLastDay) {
  EXPECT_EQ(End("2024-01-31T10:00:00Z", {1, kMonths}), "2024-03-01T00:00:00Z") << "29 February";
  EXPECT_EQ(End("2024-01-29T10:00:00Z", {1, kMonths}), "2024-03-01T00:00:00Z");
  EXPECT_EQ(End("2024-01-28T10:00:00Z", {1, kMonths}), "2024-02-29T00:00:00Z") << "28 February";
  EXPECT_EQ(End("2100-01-31T10:00:00Z", {1, kMonths}), "2100-03-01T00:00:00Z") << "no leap year";
  EXPECT_EQ(End("2000-01-31T10:00:00Z", {1, kMonths}), "2000-03-01T00:00:00Z") << "one";
  EXPECT_EQ(End("2024-02-29T10:00:00Z", {1, kMonths}), "2024-03-30T00:00:00Z") << "29 March";
  EXPECT_EQ(End("2024-02-29T10:00:00Z", {12, kMonths}), "2025-03-01T00:00:00Z");
  EXPECT_EQ(End("2024-02-29T10:00:00Z", {24, kMonths}), "2026-03-01T00:00:00Z");
  EXPECT_EQ(End("2026-03-31T10:00:00Z", {1, kMonths}), "2026-05-01T00:00:00Z") << "30 April";
  EXPECT_EQ(End("2026-12-31T10:00:00Z", {2, kMonths}), "2027-03-01T00:00:00Z");
  EXPECT_EQ(End("2026-12-15T10:00:00Z", {1, kMonths}), "2027-01-16T00:00:00Z") << "15 January";
}

TEST(Deadlines, CalendarDaysAreCountedOneByOne) {
  EXPECT_EQ(End("2026-01-01T00:00:00Z", {1, kDays}), "2026-01-03T00:00:00Z")
      << "2 January: the day of receipt is not counted";
  EXPECT_EQ(End("2026-01-01T23:59:59.999999Z", {1, kDays}), "2026-01-03T00:00:00Z");
  EXPECT_EQ(End("2026-02-20T10:00:00Z", {10, kDays}), "2026-03-03T00:00:00Z");
  EXPECT_EQ(End("2024-02-20T10:00:00Z", {10, kDays}), "2024-03-02T00:00:00Z");
  EXPECT_EQ(End("2026-01-01T10:00:00Z", {366, kDays}), "2027-01-03T00:00:00Z");
}

TEST(Deadlines, BusinessDaysLeaveOutWeekendsAndHolidays) {
  EXPECT_EQ(End("2026-03-06T10:00:00Z", {1, kBusiness}), "2026-03-10T00:00:00Z") << "received on Friday: Monday";
  EXPECT_EQ(End("2026-03-06T10:00:00Z", {10, kBusiness}), "2026-03-21T00:00:00Z") << "Friday in two weeks";
  EXPECT_EQ(End("2026-03-07T10:00:00Z", {10, kBusiness}), "2026-03-21T00:00:00Z") << "received on Saturday";
  EXPECT_EQ(End("2026-03-08T10:00:00Z", {10, kBusiness}), "2026-03-21T00:00:00Z") << "received on Sunday";
  EXPECT_EQ(End("2026-03-09T10:00:00Z", {10, kBusiness}), "2026-03-24T00:00:00Z") << "received on Monday";
  // 19 June and 3 July are holidays, 4 July is a Saturday anyway.
  const std::vector<base::Date> holidays = Ccpa().holidays;
  EXPECT_EQ(End("2026-06-18T10:00:00Z", {1, kBusiness}, holidays), "2026-06-23T00:00:00Z");
  EXPECT_EQ(End("2026-06-18T10:00:00Z", {10, kBusiness}, holidays), "2026-07-07T00:00:00Z");
  EXPECT_EQ(End("2026-06-18T10:00:00Z", {10, kBusiness}), "2026-07-03T00:00:00Z");
  EXPECT_EQ(End("2026-06-19T10:00:00Z", {1, kBusiness}, holidays), "2026-06-23T00:00:00Z") << "received on a holiday";
  EXPECT_EQ(DeadlinesOf(At("2026-06-18T10:00:00Z"), Ccpa()).confirm_by, At("2026-07-07T00:00:00Z"));
}

TEST(Deadlines, AnEndOnAWeekendOrHolidayIsNotMoved) {
  EXPECT_EQ(End("2026-01-14T10:00:00Z", {1, kMonths}), "2026-02-15T00:00:00Z") << "14 February 2026 is a Saturday";
  EXPECT_EQ(End("2026-01-15T10:00:00Z", {1, kMonths}), "2026-02-16T00:00:00Z") << "a Sunday";
  EXPECT_EQ(End("2026-02-14T10:00:00Z", {7, kDays}), "2026-02-22T00:00:00Z") << "a Saturday";
  const std::vector<base::Date> holidays = {Day("2026-06-19")};
  EXPECT_EQ(End("2026-05-19T10:00:00Z", {1, kMonths}, holidays), "2026-06-20T00:00:00Z");
  EXPECT_EQ(End("2026-06-09T10:00:00Z", {10, kDays}, holidays), "2026-06-20T00:00:00Z");
}

TEST(Deadlines, ExtensionsAreCountedFromReceiptOrFromTheFirstPeriodsLastDay) {
  DeadlineRules rules = Gdpr();
  EXPECT_EQ(base::FormatRfc3339(ExtendedDeadline(At("2026-11-30T10:00:00Z"), rules)), "2027-03-01T00:00:00Z")
      << "28 February";
  rules.extension->length = {10, kDays};
  EXPECT_EQ(base::FormatRfc3339(ExtendedDeadline(At("2026-01-31T10:00:00Z"), rules)), "2026-03-11T00:00:00Z")
      << "28 February and 10 days";
  rules.extension->length = {1, kBusiness};
  EXPECT_EQ(base::FormatRfc3339(ExtendedDeadline(At("2026-01-31T10:00:00Z"), rules)), "2026-03-03T00:00:00Z")
      << "a Saturday's next Monday";
  rules.completion = {5, kBusiness};
  rules.extension->length = {5, kBusiness};
  EXPECT_EQ(base::FormatRfc3339(ExtendedDeadline(At("2026-03-06T10:00:00Z"), rules)), "2026-03-21T00:00:00Z");
}

TEST(Deadlines, ARegimeWithoutExtensionAllowsNone) {
  const Instant received = At("2026-03-06T10:00:00Z");
  const DeadlineRules silent;
  EXPECT_FALSE(MayExtend(received, received, silent));
  EXPECT_EQ(ExtendedDeadline(received, silent), DeadlinesOf(received, silent).complete_by);
}

TEST(Deadlines, NoNoticeIsInTimeOnceTheCompletionIsOver) {
  DeadlineRules rules = Gdpr();
  rules.extension->notice = {60, kDays};  // no valid policy says so
  EXPECT_TRUE(MayExtend(At("2026-01-31T10:00:00Z"), At("2026-02-28T23:59:59Z"), rules));
  EXPECT_FALSE(MayExtend(At("2026-01-31T10:00:00Z"), At("2026-03-01T00:00:00Z"), rules));
  rules.extension->notice = {14, kDays};
  EXPECT_TRUE(MayExtend(At("2026-01-31T10:00:00Z"), At("2026-02-14T23:59:59Z"), rules));
  EXPECT_FALSE(MayExtend(At("2026-01-31T10:00:00Z"), At("2026-02-15T00:00:00Z"), rules))
      << "a notice that is due before the request";
}

TEST(Deadlines, UnknownTimesExtendNothing) {
  const Instant received = At("2026-03-06T10:00:00Z");
  EXPECT_FALSE(MayExtend(Instant{}, received, Gdpr()));
  EXPECT_FALSE(MayExtend(received, Instant{}, Gdpr()));
  EXPECT_FALSE(MayExtend(received, received - kTick, Gdpr()));
  EXPECT_FALSE(MayExtend(received, base::kEndOfTime, Gdpr()));
}

TEST(Deadlines, TheDefaultIsTenBusinessDaysOneMonthNoExtension) {
  const DeadlineRules silent;
  EXPECT_EQ(silent.confirmation, (Period{10, kBusiness}));
  EXPECT_EQ(silent.completion, (Period{1, kMonths}));
  EXPECT_FALSE(silent.extension.has_value());
  EXPECT_TRUE(silent.holidays.empty());
  EXPECT_EQ(End("2026-03-06T10:00:00Z", Period{}), "2026-03-07T00:00:00Z")
      << "a default period ends with the day of receipt";
}

// By hand: the same period counted in either zone.
TEST(Deadlines, TheEarlierOfUtcsDayAndTheZonesCounts) {
  struct Row {
    const char* zone;
    const char* received;
    const char* complete_by;  // 45 days
    const char* extended;     // 90 days
  };
  for (const Row& row :
       {// An evening on the Pacific is the next day's morning in UTC: 1 November there, 2 November here.
        Row{"America/Los_Angeles", "2026-11-02T04:00:00Z", "2026-12-17T08:00:00Z", "2027-01-31T08:00:00Z"},
        // The same day in both: UTC's ends first.
        Row{"America/Los_Angeles", "2026-11-02T20:00:00Z", "2026-12-18T00:00:00Z", "2027-02-01T00:00:00Z"},
        // East of Greenwich the zone's day ends first, in summer and in winter.
        Row{"Europe/Bucharest", "2026-06-01T10:00:00Z", "2026-07-16T21:00:00Z", "2026-08-30T21:00:00Z"},
        Row{"Europe/Bucharest", "2026-09-20T10:00:00Z", "2026-11-04T22:00:00Z", "2026-12-19T22:00:00Z"},
        // Past midnight there: received a day later, and UTC's reading ends first.
        Row{"Europe/Bucharest", "2026-06-01T22:30:00Z", "2026-07-17T00:00:00Z", "2026-08-31T00:00:00Z"}}) {
    DeadlineRules rules = Ccpa();
    rules.zones = {*base::TimeZone::Load(row.zone)};
    const Instant received = At(row.received);
    EXPECT_EQ(base::FormatRfc3339(DeadlinesOf(received, rules).complete_by), row.complete_by)
        << row.zone << " " << row.received;
    EXPECT_EQ(base::FormatRfc3339(ExtendedDeadline(received, rules)), row.extended) << row.zone << " " << row.received;
    EXPECT_TRUE(MayExtend(received, At(row.complete_by) - kTick, rules));
    EXPECT_FALSE(MayExtend(received, At(row.complete_by), rules));
  }
}

TEST(Deadlines, EveryInputHasAnAnswer) {
  const Instant instants[] = {{},
                              {1},
                              {-1},
                              {INT64_MIN},
                              At("2026-03-06T10:00:00Z"),
                              At("9999-11-30T00:00:00Z"),
                              At("9999-12-30T00:00:00Z"),
                              base::kLastInstant,
                              base::kLastInstant + kTick,
                              {INT64_MAX - 1},
                              base::kEndOfTime};
  const int32_t counts[] = {INT32_MIN, -1, 0, 1, 24, 25, 366, 367, INT32_MAX};
  // Every day of eleven years: no business day at all.
  std::vector<base::Date> all;
  for (int32_t day = Day("2026-01-01").days; all.size() < 4096; ++day) all.push_back({day});
  const std::vector<base::TimeZone> zones = {base::TimeZone::EastOfUtc(base::Hours(14)),
                                             base::TimeZone::EastOfUtc(base::Hours(-12))};
  for (const Instant received : instants) {
    for (const int32_t count : counts) {
      for (const PeriodUnit unit : {kDays, kBusiness, kMonths, static_cast<PeriodUnit>(9)}) {
        for (const auto& holidays : {std::vector<base::Date>{}, all}) {
          const DeadlineRules rules{
              {count, unit}, {count, unit}, Extension{{count, kMonths}, {count, unit}}, holidays, zones};
          const Instant end = EndOf(received, {count, unit}, rules);
          EXPECT_EQ(end.IsSet(), received.IsSet());
          EXPECT_TRUE(end == base::kEndOfTime || end <= base::kLastInstant) << base::FormatRfc3339(end);
          if (received.IsSet() && received <= base::kLastInstant) {
            EXPECT_GT(end, received) << received.micros << " " << count;
          }
          const Instant extended = ExtendedDeadline(received, rules);
          EXPECT_EQ(extended.IsSet(), received.IsSet());
          EXPECT_GE(extended, DeadlinesOf(received, rules).complete_by);
          MayExtend(received, At("2026-03-06T10:00:00Z"), rules);
        }
      }
    }
  }
  EXPECT_EQ(EndOf(base::kEndOfTime, {1, kDays}, DeadlineRules{}), base::kEndOfTime);
  EXPECT_EQ(EndOf(base::kLastInstant + kTick, {}, DeadlineRules{}), base::kEndOfTime);
  EXPECT_EQ(End("9999-12-29T10:00:00Z", {1, kDays}), "9999-12-31T00:00:00Z");
  EXPECT_EQ(EndOf(At("9999-12-30T10:00:00Z"), {1, kDays}, DeadlineRules{}), base::kEndOfTime);
  EXPECT_EQ(EndOf(At("9999-12-15T10:00:00Z"), {1, kMonths}, DeadlineRules{}), base::kEndOfTime);
  EXPECT_EQ(EndOf(At("9999-12-30T10:00:00Z"), {1, kBusiness}, DeadlineRules{}), base::kEndOfTime);
  EXPECT_EQ(EndOf(Instant{-1}, {1, kDays}, DeadlineRules{}), At("1970-01-03T00:00:00Z"));
  const Instant received = At("2026-03-06T10:00:00Z");
  EXPECT_EQ(EndOf(received, {INT32_MAX, kDays}, DeadlineRules{}), EndOf(received, {366, kDays}, DeadlineRules{}));
  EXPECT_EQ(EndOf(received, {INT32_MAX, kMonths}, DeadlineRules{}), EndOf(received, {24, kMonths}, DeadlineRules{}));
  EXPECT_EQ(EndOf(received, {-1, kMonths}, DeadlineRules{}), EndOf(received, {0, kMonths}, DeadlineRules{}));
  const DeadlineRules huge{{}, {INT32_MAX, kMonths}, Extension{{INT32_MAX, kMonths}, {}}, {}, {}};
  EXPECT_EQ(base::FormatRfc3339(ExtendedDeadline(received, huge)), "2030-03-07T00:00:00Z") << "24 and 24 months";
}

}  // namespace
}  // namespace consent::domain::deadlines_test
