#include "daemon/domain/deadlines.h"

#include <algorithm>
#include <chrono>

namespace consent::domain {
namespace {

using base::Date;
using base::Instant;
using std::chrono::sys_days;
using std::chrono::year_month_day;

sys_days ToDays(Date d) { return sys_days{std::chrono::days{d.days}}; }

// The earliest end by UTC and the other zones, of the last day that `last_day` finds from the day of receipt.
template <typename LastDay>
Instant EarliestEnd(Instant received, const DeadlineRules& rules, LastDay last_day) {
  const auto end = [&](const base::TimeZone& zone) {
    const Date last = last_day(zone.DayOf(received));
    return last < base::kLastDate ? zone.StartOf(Date{last.days + 1}) : base::kEndOfTime;
  };
  Instant earliest = end(base::TimeZone::Utc());
  for (const base::TimeZone& zone : rules.zones) earliest = std::min(earliest, end(zone));
  return earliest;
}

int BoundedCount(const Period& period) {
  return std::clamp(period.count, 0, period.unit == PeriodUnit::kMonths ? kMaxPeriodMonths : kMaxPeriodDays);
}

bool IsBusinessDay(Date d, const std::vector<Date>& holidays) {
  const std::chrono::weekday weekday{ToDays(d)};
  if (weekday == std::chrono::Saturday || weekday == std::chrono::Sunday) return false;
  return !std::binary_search(holidays.begin(), holidays.end(), d);
}

Date BusinessDaysAfter(Date from, int count, const std::vector<Date>& holidays) {
  Date day = from;
  while (count > 0 && day < base::kLastDate) {
    ++day.days;
    if (IsBusinessDay(day, holidays)) --count;
  }
  return day;
}

Date MonthsAfter(Date from, int count) {
  const year_month_day date{ToDays(from)};
  const auto month = date.year() / date.month() + std::chrono::months{count};
  const auto last = (month / std::chrono::last).day();
  return Date{static_cast<int32_t>(sys_days{month / std::min(date.day(), last)}.time_since_epoch().count())};
}

// The last day of a period of `count` units that runs from `from`, a day that is not counted.
Date LastDay(Date from, int count, PeriodUnit unit, const std::vector<Date>& holidays) {
  switch (unit) {
    case PeriodUnit::kCalendarDays:
      return Date{from.days + count};
    case PeriodUnit::kBusinessDays:
      return BusinessDaysAfter(from, count, holidays);
    case PeriodUnit::kMonths:
      return MonthsAfter(from, count);
  }
  return from;
}

// Neither unset nor beyond what an input may name: such times stay what they are.
bool Counts(Instant received) { return received.IsSet() && received <= base::kLastInstant; }
Instant Uncounted(Instant received) { return received.IsSet() ? base::kEndOfTime : received; }

}  // namespace

Instant EndOf(Instant received, const Period& period, const DeadlineRules& rules) {
  if (!Counts(received)) return Uncounted(received);
  return EarliestEnd(received, rules,
                     [&](Date day) { return LastDay(day, BoundedCount(period), period.unit, rules.holidays); });
}

Deadlines DeadlinesOf(Instant received, const DeadlineRules& rules) {
  return {EndOf(received, rules.confirmation, rules), EndOf(received, rules.completion, rules)};
}

bool MayExtend(Instant received, Instant now, const DeadlineRules& rules) {
  if (!rules.extension || !received.IsSet() || !now.IsSet() || now < received) return false;
  const Instant notice_by = EndOf(received, rules.extension->notice, rules);
  return now < std::min(notice_by, EndOf(received, rules.completion, rules));
}

Instant ExtendedDeadline(Instant received, const DeadlineRules& rules) {
  if (!rules.extension) return EndOf(received, rules.completion, rules);
  if (!Counts(received)) return Uncounted(received);
  const Period& first = rules.completion;
  const Period& second = rules.extension->length;
  return EarliestEnd(received, rules, [&](Date day) {
    if (first.unit == second.unit) {
      return LastDay(day, BoundedCount(first) + BoundedCount(second), first.unit, rules.holidays);
    }
    const Date due = LastDay(day, BoundedCount(first), first.unit, rules.holidays);
    return LastDay(due, BoundedCount(second), second.unit, rules.holidays);
  });
}

}  // namespace consent::domain
