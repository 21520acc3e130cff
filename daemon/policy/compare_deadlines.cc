// Deadlines and holidays. They turn no answer and touch no stored choice: a change is listed, and neutral.
#include <algorithm>
#include <iterator>
#include <map>

#include "absl/strings/str_cat.h"
#include "daemon/policy/differences.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

void AddNeutral(Differences* out, std::string path, std::string what) {
  out->push_back({std::move(path), std::move(what), DifferenceKind::kNeutral, 0, 0});
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
    if (a != b) AddNeutral(out, at + field, absl::StrCat(Text(a), " becomes ", Text(b)));
  };
  period(".confirmation", before.confirmation, after.confirmation);
  period(".completion", before.completion, after.completion);
  if (before.extension && after.extension) {
    period(".extension", before.extension->length, after.extension->length);
    period(".extension_notice", before.extension->notice, after.extension->notice);
  } else if (after.extension) {
    AddNeutral(out, at + ".extension", absl::StrCat("new: ", Text(after.extension->length)));
  } else if (before.extension) {
    AddNeutral(out, at + ".extension", "dropped");
  }
  const auto appeal = [&](const char* field, const domain::Period& a, const domain::Period& b) {
    if (a != b) AddNeutral(out, path + ".appeal_deadlines" + field, absl::StrCat(Text(a), " becomes ", Text(b)));
  };
  appeal(".acknowledgement", before.appeal_acknowledgement, after.appeal_acknowledgement);
  appeal(".answer", before.appeal_answer, after.appeal_answer);
  if (from.holiday_calendar() != to.holiday_calendar()) {
    AddNeutral(out, path + ".holiday_calendar",
               absl::StrCat(NameText(from.holiday_calendar()), " becomes ", NameText(to.holiday_calendar())));
  }
  if (from.time_zone() != to.time_zone()) {
    AddNeutral(out, path + ".time_zone",
               absl::StrCat(NameText(from.time_zone()), " becomes ", NameText(to.time_zone())));
  }
}

void CompareHolidayCalendars(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  const auto before = CalendarsOf(from);
  const auto after = CalendarsOf(to);
  const auto path = [](const std::string& name) { return absl::StrCat("holiday_calendars[\"", name, "\"]"); };
  for (const auto& [name, dates] : before) {
    const auto counterpart = after.find(name);
    if (counterpart == after.end()) {
      AddNeutral(out, path(name), "dropped");
      continue;
    }
    const std::string gained = Missing(counterpart->second, dates);
    const std::string lost = Missing(dates, counterpart->second);
    if (!gained.empty()) AddNeutral(out, path(name) + ".dates", "gains " + gained);
    if (!lost.empty()) AddNeutral(out, path(name) + ".dates", "loses " + lost);
  }
  for (const auto& [name, dates] : after) {
    if (before.count(name) == 0) AddNeutral(out, path(name), "new");
  }
}

}  // namespace consent::policy
