// Deadlines and holidays. They turn no answer and touch no stored choice, but what gives more time is a promise that is
// kept later: it is listed as loosening.
#include <algorithm>
#include <iterator>
#include <map>

#include "absl/strings/str_cat.h"
#include "daemon/policy/differences.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

using Kind = DifferenceKind;

void AddChange(Differences* out, std::string path, std::string what, Kind kind) {
  out->push_back({std::move(path), std::move(what), kind, 0, 0});
}

// More time, or perhaps more: months, days and business days cannot be compared.
Kind KindOf(const domain::Period& from, const domain::Period& to) {
  return from.unit == to.unit && to.count < from.count ? Kind::kRestriction : Kind::kLoosening;
}

const char* UnitName(domain::PeriodUnit unit) {
  switch (unit) {
    case domain::PeriodUnit::kCalendarDays:
      return "calendar day";
    case domain::PeriodUnit::kBusinessDays:
      return "business day";
    case domain::PeriodUnit::kMonths:
      return "month";
  }
  return "day";
}

std::string Text(const domain::Period& period) {
  return absl::StrCat(period.count, " ", UnitName(period.unit), period.count == 1 ? "" : "s");
}

std::string NameText(const std::string& name) { return name.empty() ? "none" : absl::StrCat("\"", name, "\""); }

std::map<std::string, std::vector<base::Date>> CalendarsOf(const v1::Policy& policy) {
  std::map<std::string, std::vector<base::Date>> calendars;
  for (const v1::HolidayCalendar& calendar : policy.holiday_calendars()) {
    calendars.emplace(calendar.name(), HolidaysOf(policy, calendar.name()));
  }
  return calendars;
}

// The dates of `a` that are not in `b`, listed; both sorted.
std::string Missing(const std::vector<base::Date>& a, const std::vector<base::Date>& b) {
  std::vector<base::Date> dates;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(dates));
  std::vector<std::string> names;
  names.reserve(dates.size());
  for (const base::Date date : dates) names.push_back(base::FormatDate(date));
  return Listed(names);
}

}  // namespace

void CompareDeadlines(const v1::Regime& from, const v1::Regime& to, const std::string& path, Differences* out) {
  const domain::DeadlineRules before = PeriodsOf(from);
  const domain::DeadlineRules after = PeriodsOf(to);
  const std::string at = path + ".deletion_deadlines";
  const auto period = [&](const char* field, const domain::Period& a, const domain::Period& b) {
    if (a != b) AddChange(out, at + field, absl::StrCat(Text(a), " becomes ", Text(b)), KindOf(a, b));
  };
  period(".confirmation", before.confirmation, after.confirmation);
  period(".completion", before.completion, after.completion);
  if (before.extension && after.extension) {
    period(".extension", before.extension->length, after.extension->length);
    period(".extension_notice", before.extension->notice, after.extension->notice);
  } else if (after.extension) {
    AddChange(out, at + ".extension", absl::StrCat("new: ", Text(after.extension->length)), Kind::kLoosening);
  } else if (before.extension) {
    AddChange(out, at + ".extension", "dropped", Kind::kRestriction);
  }
  const auto appeal = [&](const char* field, const domain::Period& a, const domain::Period& b) {
    if (a != b) {
      AddChange(out, path + ".appeal_deadlines" + field, absl::StrCat(Text(a), " becomes ", Text(b)), KindOf(a, b));
    }
  };
  appeal(".acknowledgement", before.appeal_acknowledgement, after.appeal_acknowledgement);
  appeal(".answer", before.appeal_answer, after.appeal_answer);
  if (from.holiday_calendar() != to.holiday_calendar()) {
    // Each holiday is a day more.
    AddChange(out, path + ".holiday_calendar",
              absl::StrCat(NameText(from.holiday_calendar()), " becomes ", NameText(to.holiday_calendar())),
              to.holiday_calendar().empty() ? Kind::kRestriction : Kind::kLoosening);
  }
  if (from.time_zone() != to.time_zone()) {
    // A zone's days count beside UTC's, and what ends first is the deadline.
    AddChange(out, path + ".time_zone", absl::StrCat(NameText(from.time_zone()), " becomes ", NameText(to.time_zone())),
              from.time_zone().empty() ? Kind::kRestriction : Kind::kLoosening);
  }
}

void CompareHolidayCalendars(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  const auto before = CalendarsOf(from);
  const auto after = CalendarsOf(to);
  const auto path = [](const std::string& name) { return absl::StrCat("holiday_calendars[\"", name, "\"]"); };
  for (const auto& [name, dates] : before) {
    const auto counterpart = after.find(name);
    if (counterpart == after.end()) {
      AddChange(out, path(name), "dropped", Kind::kNeutral);
      continue;
    }
    const std::string gained = Missing(counterpart->second, dates);
    const std::string lost = Missing(dates, counterpart->second);
    if (!gained.empty()) AddChange(out, path(name) + ".dates", "gains " + gained, Kind::kLoosening);
    if (!lost.empty()) AddChange(out, path(name) + ".dates", "loses " + lost, Kind::kRestriction);
  }
  for (const auto& [name, dates] : after) {
    if (before.count(name) == 0) AddChange(out, path(name), "new", Kind::kNeutral);
  }
}

}  // namespace consent::policy
