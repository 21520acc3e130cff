#include "daemon/base/time.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/base/clock.h"

namespace consent::base {
namespace {

Instant At(const std::string& text) {
  Instant t;
  EXPECT_TRUE(ParseRfc3339(text, &t)) << text;
  return t;
}

TEST(Time, SumsSaturate) {
  const Instant t{1'000};
  EXPECT_EQ((t + Microseconds(5)).micros, 1'005);
  EXPECT_EQ((t - Microseconds(5)).micros, 995);
  EXPECT_EQ((t - Seconds(5)).micros, 1) << "never unset, never negative";
  EXPECT_EQ((t - Span{INT64_MIN}), kEndOfTime);
  EXPECT_EQ((t + Span{INT64_MAX}), kEndOfTime);
  EXPECT_EQ((t + Span{INT64_MIN}).micros, 1);
  EXPECT_EQ(kEndOfTime - Hours(1), kEndOfTime);
  EXPECT_EQ(kEndOfTime + Hours(1), kEndOfTime);
  EXPECT_FALSE((Instant{} + Hours(1)).IsSet());
  EXPECT_FALSE((Instant{} - Hours(1)).IsSet());
  EXPECT_EQ((Instant{10} - Instant{3}).micros, 7);
}

TEST(Time, MonthsThatLackTheDayEndWithTheirLast) {
  EXPECT_EQ(FormatRfc3339(AddMonths(At("2024-11-15T01:02:03Z"), 3)), "2025-02-15T01:02:03Z");
  EXPECT_EQ(FormatRfc3339(AddMonths(At("2024-01-31T10:00:00Z"), 2)), "2024-03-31T10:00:00Z");
  EXPECT_EQ(FormatRfc3339(AddMonths(At("2023-01-31T10:00:00Z"), 1)), "2023-02-28T10:00:00Z");
  EXPECT_EQ(FormatRfc3339(AddMonths(At("2024-01-31T10:00:00Z"), 1)), "2024-02-29T10:00:00Z");
  EXPECT_EQ(FormatRfc3339(AddMonths(At("2024-02-29T10:00:00Z"), 12)), "2025-02-28T10:00:00Z");
  EXPECT_EQ(FormatRfc3339(AddMonths(At("2025-11-29T20:41:00Z"), 3)), "2026-02-28T20:41:00Z");
  EXPECT_EQ(AddMonths(At("2024-01-31T10:00:00Z"), 0), At("2024-01-31T10:00:00Z"));
  EXPECT_EQ(AddMonths(kEndOfTime, 1), kEndOfTime);
  EXPECT_FALSE(AddMonths(Instant{}, 1).IsSet());
}

// By looking at every hour, and at both sides of each midnight.
TEST(Time, TheEarliestAndLatestEndOfAnInterval) {
  const Span tick = Microseconds(1);
  for (int months = 0; months <= 14; ++months) {
    for (Instant from = At("2024-01-26T05:00:00Z"); from < At("2024-03-03T00:00:00Z"); from = from + Hours(7)) {
      for (const Span length : {Hours(0), Hours(1), Hours(20), Hours(48), Hours(120)}) {
        const Instant to = from + length;
        Instant earliest = std::min(AddMonths(from, months), AddMonths(to, months));
        Instant latest = std::max(AddMonths(from, months), AddMonths(to, months));
        for (Instant hour = At("2024-01-26T00:00:00Z"); hour <= to; hour = hour + Hours(1)) {
          for (const Instant t : {hour - tick, hour}) {
            if (t < from || t > to) continue;
            earliest = std::min(earliest, AddMonths(t, months));
            latest = std::max(latest, AddMonths(t, months));
          }
        }
        ASSERT_EQ(EarliestAfterMonths(from, to, months), earliest)
            << FormatRfc3339(from) << " to " << FormatRfc3339(to) << ", " << months;
        ASSERT_EQ(LatestAfterMonths(from, to, months), latest)
            << FormatRfc3339(from) << " to " << FormatRfc3339(to) << ", " << months;
      }
    }
  }
}

TEST(Time, Dates) {
  Date d;
  ASSERT_TRUE(ParseDate("2012-02-29", &d));
  EXPECT_EQ(FormatDate(d), "2012-02-29");
  EXPECT_EQ(FormatDate(AddYears(d, 13)), "2025-03-01");
  EXPECT_EQ(FormatDate(AddYears(d, 4)), "2016-02-29");
  ASSERT_TRUE(ParseDate("2012-02", &d));
  EXPECT_EQ(FormatDate(d), "2012-02-29");
  ASSERT_TRUE(ParseDate("2013", &d));
  EXPECT_EQ(FormatDate(d), "2013-12-31");
  for (const char* bad :
       {"", "201", "2013-", "2013-13", "2013-00", "2013-02-29", "2013-02-2", "2013-02-01x", "x013", "2013/02/01"}) {
    EXPECT_FALSE(ParseDate(bad, &d)) << bad;
  }
  ASSERT_TRUE(ParseDate("1970-01-02", &d));
  EXPECT_EQ(d.days, 1);
  EXPECT_EQ(FormatRfc3339(BegunEverywhere(d)), "1970-01-02T12:00:00Z");
}

TEST(Time, Rfc3339) {
  EXPECT_EQ(FormatRfc3339(At("2024-06-01T12:00:00Z")), "2024-06-01T12:00:00Z");
  EXPECT_EQ(FormatRfc3339(At("2024-06-01T12:00:00.123456789Z")), "2024-06-01T12:00:00.123456Z");
  EXPECT_EQ(FormatRfc3339(At("2024-06-01T12:00:00.5+02:30")), "2024-06-01T09:30:00.500000Z");
  EXPECT_EQ(FormatRfc3339(At("2024-01-01T00:30:00+01:00")), "2023-12-31T23:30:00Z");
  EXPECT_EQ(At("9999-12-31T23:59:59Z"), kLastInstant);
  Instant t;
  for (const char* bad :
       {"", "2024-06-01", "2024-06-01T12:00:00", "2024-06-01T24:00:00Z", "2024-06-01T12:60:00Z", "2024-06-01T12:00:60Z",
        "2024-06-31T12:00:00Z", "2024-06-01T12:00:00.Z", "2024-06-01T12:00:00.1234567890Z", "2024-06-01T12:00:00+24:00",
        "2024-06-01T12:00:00Zx", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "10000-01-01T00:00:00Z"}) {
    EXPECT_FALSE(ParseRfc3339(bad, &t)) << bad;
  }
}

TEST(Clock, SystemTimeIsPlausible) {
  EXPECT_GT(SystemClock().Now(), At("2023-01-01T00:00:00Z"));
  EXPECT_LT(SystemClock().Now(), kLastInstant);
}

}  // namespace
}  // namespace consent::base
