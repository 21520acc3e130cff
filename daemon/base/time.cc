#include "daemon/base/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace consent::base {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int64_t kDayMicros = 86'400'000'000;

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0); }

bool ParseDigits(const char*& p, const char* end, int count, int* out) {
  if (end - p < count) return false;
  int value = 0;
  for (int i = 0; i < count; ++i) {
    if (p[i] < '0' || p[i] > '9') return false;
    value = value * 10 + (p[i] - '0');
  }
  p += count;
  *out = value;
  return true;
}

bool Expect(const char*& p, const char* end, char c) {
  if (p == end || *p != c) return false;
  ++p;
  return true;
}

Instant Saturate(int64_t micros, bool overflowed, bool negative) {
  if (overflowed) return negative ? Instant{1} : kEndOfTime;
  return Instant{std::max<int64_t>(micros, 1)};
}

}  // namespace

Instant operator+(Instant t, Span d) {
  if (!t.IsSet() || t == kEndOfTime) return t;
  int64_t sum = 0;
  const bool overflowed = __builtin_add_overflow(t.micros, d.micros, &sum);
  return Saturate(sum, overflowed, d.micros < 0);
}

Instant operator-(Instant t, Span d) {
  if (!t.IsSet() || t == kEndOfTime) return t;
  int64_t difference = 0;
  const bool overflowed = __builtin_sub_overflow(t.micros, d.micros, &difference);
  return Saturate(difference, overflowed, d.micros > 0);
}

Instant AddMonths(Instant t, int months) {
  if (!t.IsSet() || t == kEndOfTime) return t;
  const int64_t day = FloorDiv(std::min(t, kLastInstant).micros, kDayMicros);
  const int64_t time_of_day = t.micros - day * kDayMicros;
  const year_month_day from{sys_days{days{static_cast<int>(day)}}};
  const auto month = from.year() / from.month() + std::chrono::months{months};
  const auto last = (month / std::chrono::last).day();
  const int64_t to_day = sys_days{month / std::min(from.day(), last)}.time_since_epoch().count();
  return Instant{std::max<int64_t>(to_day * kDayMicros + time_of_day, 1)};
}

// Within a day AddMonths never decreases; its steps back lie between days, at most three at the end of a month.
Instant EarliestAfterMonths(Instant from, Instant to, int months) {
  constexpr int64_t kDaysThatShare = 4;
  Instant earliest = AddMonths(from, months);
  int64_t day = FloorDiv(from.micros, kDayMicros) + 1;
  for (int64_t i = 0; i < kDaysThatShare && day * kDayMicros <= std::min(to, kLastInstant).micros; ++i, ++day) {
    earliest = std::min(earliest, AddMonths(Instant{day * kDayMicros}, months));
  }
  return earliest;
}

Instant LatestAfterMonths(Instant from, Instant to, int months) {
  constexpr int64_t kDaysThatShare = 4;
  Instant latest = AddMonths(to, months);
  int64_t day = FloorDiv(std::min(to, kLastInstant).micros, kDayMicros);
  for (int64_t i = 0; i < kDaysThatShare && day * kDayMicros > from.micros; ++i, --day) {
    latest = std::max(latest, AddMonths(Instant{day * kDayMicros - 1}, months));
  }
  return latest;
}

bool ParseDate(const std::string& text, Date* out) {
  const char* p = text.data();
  const char* end = p + text.size();
  int year = 0;
  int month = 12;
  int day = 0;
  if (!ParseDigits(p, end, 4, &year)) return false;
  if (p != end && (!Expect(p, end, '-') || !ParseDigits(p, end, 2, &month))) return false;
  if (month < 1 || month > 12) return false;
  const bool has_day = p != end;
  if (has_day && (!Expect(p, end, '-') || !ParseDigits(p, end, 2, &day) || p != end)) return false;
  const auto year_month = std::chrono::year{year} / month;
  const year_month_day date = has_day ? year_month / day : year_month_day{year_month / std::chrono::last};
  if (!date.ok()) return false;
  out->days = static_cast<int32_t>(sys_days{date}.time_since_epoch().count());
  return true;
}

std::string FormatDate(Date d) {
  const year_month_day date{sys_days{days{d.days}}};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

Date AddYears(Date d, int years) {
  const year_month_day from{sys_days{days{d.days}}};
  const year_month_day to = (from.year() + std::chrono::years{years}) / from.month() / from.day();
  const sys_days resolved = to.ok() ? sys_days{to} : sys_days{to.year() / std::chrono::March / 1};
  return Date{static_cast<int32_t>(resolved.time_since_epoch().count())};
}

Instant BegunEverywhere(Date d) { return Instant{d.days * kDayMicros + kDayMicros / 2}; }

std::string FormatRfc3339(Instant t) {
  const int64_t day = FloorDiv(t.micros, kDayMicros);
  const int64_t rest = t.micros - day * kDayMicros;
  const int64_t seconds = rest / 1'000'000;
  std::array<char, 64> text{};
  const std::string date = FormatDate(Date{static_cast<int32_t>(day)});
  const int64_t fraction = rest % 1'000'000;
  if (fraction == 0) {
    std::snprintf(text.data(), text.size(), "%sT%02d:%02d:%02dZ", date.c_str(), static_cast<int>(seconds / 3600),
                  static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%sT%02d:%02d:%02d.%06dZ", date.c_str(), static_cast<int>(seconds / 3600),
                  static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60), static_cast<int>(fraction));
  }
  return text.data();
}

bool ParseTimestamp(const std::string& text, int64_t* out) {
  const char* p = text.data();
  const char* end = p + text.size();
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!ParseDigits(p, end, 4, &year) || !Expect(p, end, '-') || !ParseDigits(p, end, 2, &month) ||
      !Expect(p, end, '-') || !ParseDigits(p, end, 2, &day)) {
    return false;
  }
  if (p == end || (*p != 'T' && *p != 't' && *p != ' ')) return false;
  ++p;
  if (!ParseDigits(p, end, 2, &hour) || !Expect(p, end, ':') || !ParseDigits(p, end, 2, &minute) ||
      !Expect(p, end, ':') || !ParseDigits(p, end, 2, &second)) {
    return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  int64_t micros = 0;
  if (p != end && *p == '.') {
    ++p;
    int digits = 0;
    for (; p != end && *p >= '0' && *p <= '9'; ++p, ++digits) {
      if (digits < 6) micros = micros * 10 + (*p - '0');
    }
    if (digits < 1 || digits > 9) return false;
    for (; digits < 6; ++digits) micros *= 10;
  }
  int offset_minutes = 0;
  if (p == end) return false;
  if (*p == 'Z' || *p == 'z') {
    ++p;
  } else {
    const int sign = *p == '+' ? 1 : *p == '-' ? -1 : 0;
    ++p;
    int offset_hour = 0, offset_minute = 0;
    if (sign == 0 || !ParseDigits(p, end, 2, &offset_hour) || !Expect(p, end, ':') ||
        !ParseDigits(p, end, 2, &offset_minute) || offset_hour > 23 || offset_minute > 59) {
      return false;
    }
    offset_minutes = sign * (offset_hour * 60 + offset_minute);
  }
  const year_month_day date = std::chrono::year{year} / month / day;
  if (p != end || !date.ok()) return false;
  const int64_t days_since = sys_days{date}.time_since_epoch().count();
  const int64_t seconds = days_since * 86'400 + hour * 3'600 + minute * 60 + second - offset_minutes * 60;
  if (seconds < 0 || seconds > kLastInstant.micros / 1'000'000) return false;
  *out = seconds * 1'000'000 + micros;
  return true;
}

bool ParseRfc3339(const std::string& text, Instant* out) {
  int64_t micros = 0;
  if (!ParseTimestamp(text, &micros) || micros < 1 || micros > kLastInstant.micros) return false;
  *out = Instant{micros};
  return true;
}

}  // namespace consent::base
