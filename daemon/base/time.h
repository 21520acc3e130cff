// Instants, spans and calendar arithmetic. Pure; no clock is read here (see clock.h).
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace consent::base {

// A length of time in microseconds. May be negative.
struct Span {
  int64_t micros = 0;
  auto operator<=>(const Span&) const = default;
};

constexpr Span Microseconds(int64_t n) { return Span{n}; }
constexpr Span Milliseconds(int64_t n) { return Span{n * 1'000}; }
constexpr Span Seconds(int64_t n) { return Span{n * 1'000'000}; }
constexpr Span Hours(int64_t n) { return Seconds(n * 3'600); }
constexpr Span Days(int64_t n) { return Hours(n * 24); }

// A point in time, microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
// Zero means "not set" and sorts before every real time; kEndOfTime sorts after.
struct Instant {
  int64_t micros = 0;
  auto operator<=>(const Instant&) const = default;
  constexpr bool IsSet() const { return micros != 0; }
};

// 9999-12-31T23:59:59Z, the last instant that an input may name.
inline constexpr Instant kLastInstant{253'402'300'799'000'000};
inline constexpr Instant kEndOfTime{INT64_MAX};

// "Now", as far as no single clock is believed. What purges by time asks the earlier end, what denies asks the later
// one; so an error of the clock between them never purges and never permits. A default-constructed one permits nothing
// and purges nothing.
struct Now {
  Instant wall;      // the wall clock: what people mean
  Instant earliest;  // the earlier of wall and trusted clock; unset while doubtful or behind: nothing is purged by time
                     // alone
  Instant latest;    // the later of wall and last stamp
  Instant not_before;    // the last stamp that was made while time was trusted
  bool doubtful = true;  // nothing is eligible and loosenings wait until somebody has confirmed the time
  bool behind = false;   // the wall is over a minute behind the last stamp: loosenings wait

  // Of one clock that is sure.
  static constexpr Now Sure(Instant t) { return Now{t, t, t, Instant{}, false, false}; }
  bool operator==(const Now&) const = default;
};

// Sums and differences saturate at 1 and kEndOfTime, so that no input can wrap around; kEndOfTime and unset stay what
// they are.
Instant operator+(Instant t, Span d);
Instant operator-(Instant t, Span d);
constexpr Span operator-(Instant a, Instant b) { return Span{a.micros - b.micros}; }

// Adds calendar months in UTC: same time of the same day, or of the last day of a month that has no such day. So within
// the days that a month lacks a later `t` can give an earlier result: 28 November 23:00 and 29 November 20:41 in three
// months. `months` in 0..1200.
Instant AddMonths(Instant t, int months);
// The earliest and the latest that AddMonths gives for any time of [from, to], which are in order and both set.
Instant EarliestAfterMonths(Instant from, Instant to, int months);
Instant LatestAfterMonths(Instant from, Instant to, int months);

// A calendar date as days since 1970-01-01 (negative before).
struct Date {
  int32_t days = 0;
  auto operator<=>(const Date&) const = default;
};

// What ParseDate can return: 0000-01-01 to 9999-12-31.
inline constexpr Date kFirstDate{-719'528};
inline constexpr Date kLastDate{2'932'896};

// `YYYY-MM-DD`, `YYYY-MM` or `YYYY`; the latter two mean their last day. Returns false on anything else or on a date
// that does not exist.
bool ParseDate(const std::string& text, Date* out);
std::string FormatDate(Date d);
// The date `years` later; 29 February becomes 1 March in a common year (the later reading).
Date AddYears(Date d, int years);
// Noon UTC of the date: by then it has begun everywhere on Earth (UTC-12 included).
Instant BegunEverywhere(Date d);

// RFC 3339 in UTC with microseconds where there are any.
std::string FormatRfc3339(Instant t);
// RFC 3339 with any offset, up to nanoseconds (truncated). False on anything else or outside 1970..9999.
bool ParseRfc3339(const std::string& text, Instant* out);
// As ParseRfc3339, but takes what a protobuf Timestamp of the API may say, the first instant of 1970 (a clock that was
// never set) and all of the last second of 9999 included: microseconds since 1970.
bool ParseTimestamp(const std::string& text, int64_t* micros);

}  // namespace consent::base
