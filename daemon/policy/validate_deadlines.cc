// Deletion deadlines and holiday calendars.
#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "daemon/base/time.h"
#include "daemon/domain/deadlines.h"
#include "daemon/policy/problems.h"

namespace consent::policy {
namespace {

constexpr base::Date kFirstHoliday{0};  // 1970-01-01
constexpr size_t kDateBytes = 10;

bool IsTimeZoneCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '+' || c == '/' || c == '-';
}

void CheckPeriod(const v1::Period& period, const std::string& path, Problems* problems) {
  const bool months = period.unit() == v1::PERIOD_UNIT_MONTHS;
  problems->Range(path + ".count", period.count(), 1, months ? domain::kMaxPeriodMonths : domain::kMaxPeriodDays);
  if (period.unit() == v1::PERIOD_UNIT_UNSPECIFIED || !v1::PeriodUnit_IsValid(period.unit())) {
    problems->Add(path + ".unit", absl::StrCat(static_cast<int>(period.unit()), " is no PeriodUnit",
                                               PermittedOf(*v1::PeriodUnit_descriptor())));
  }
}

void CheckNeeded(bool present, const v1::Period& period, const std::string& path, Problems* problems) {
  if (present) {
    CheckPeriod(period, path, problems);
  } else {
    problems->Add(path, "is missing");
  }
}

// Not longer than the completion: else a user could be told of an extension when the request is overdue already.
void CheckNotice(const v1::DeletionDeadlines& deadlines, const std::string& path, Problems* problems) {
  const v1::Period& notice = deadlines.extension_notice();
  CheckNeeded(deadlines.has_extension_notice(), notice, path, problems);
  if (!deadlines.has_extension_notice() || !deadlines.has_completion()) return;
  const v1::Period& completion = deadlines.completion();
  if (notice.unit() != completion.unit()) {
    problems->Add(path + ".unit", "must be the completion's, so that it is surely not longer");
  } else if (notice.count() > completion.count()) {
    problems->Add(path + ".count",
                  absl::StrCat(notice.count(), " is longer than the completion, which has ", completion.count()));
  }
}

void CheckDates(const v1::HolidayCalendar& calendar, const std::string& path, Problems* problems) {
  if (!problems->Count(path, calendar.dates_size(), 1, kMaxHolidays)) return;
  base::Date last{kFirstHoliday.days - 1};
  for (int i = 0; i < calendar.dates_size(); ++i) {
    const std::string at = absl::StrCat(path, "[", i, "]");
    const std::string& text = calendar.dates(i);
    base::Date date;
    // ParseDate also takes months and years.
    if (text.size() != kDateBytes || !base::ParseDate(text, &date) || date < kFirstHoliday) {
      problems->Add(at, absl::StrCat(Quoted(text), " is not a date YYYY-MM-DD within 1970 to 9999"));
      continue;
    }
    if (date <= last) {
      problems->Add(at, absl::StrCat(text, " is not later than the date before it, ", base::FormatDate(last)));
    }
    last = std::max(last, date);
  }
}

}  // namespace

void CheckDeadlines(const v1::Policy& policy, const v1::Regime& regime, const std::string& path, Problems* problems) {
  if (regime.has_deletion_deadlines()) {
    const v1::DeletionDeadlines& deadlines = regime.deletion_deadlines();
    const std::string at = path + ".deletion_deadlines";
    CheckNeeded(deadlines.has_confirmation(), deadlines.confirmation(), at + ".confirmation", problems);
    CheckNeeded(deadlines.has_completion(), deadlines.completion(), at + ".completion", problems);
    if (deadlines.has_extension()) {
      CheckPeriod(deadlines.extension(), at + ".extension", problems);
      CheckNotice(deadlines, at + ".extension_notice", problems);
    } else if (deadlines.has_extension_notice()) {
      problems->Add(at + ".extension_notice", "only where there is an extension");
    }
  }
  if (regime.has_appeal_deadlines()) {
    const v1::AppealDeadlines& deadlines = regime.appeal_deadlines();
    const std::string at = path + ".appeal_deadlines";
    CheckNeeded(deadlines.has_acknowledgement(), deadlines.acknowledgement(), at + ".acknowledgement", problems);
    CheckNeeded(deadlines.has_answer(), deadlines.answer(), at + ".answer", problems);
  }
  if (!regime.time_zone().empty()) {
    problems->Name(path + ".time_zone", regime.time_zone(), IsTimeZoneCharacter, "[A-Za-z0-9_+/-]");
  }
  const std::string& name = regime.holiday_calendar();
  const auto& calendars = policy.holiday_calendars();
  const bool known =
      std::any_of(calendars.begin(), calendars.end(), [&](const auto& calendar) { return calendar.name() == name; });
  if (!name.empty() && !known) {
    problems->Add(path + ".holiday_calendar", absl::StrCat(Quoted(name), " names no holiday calendar"));
  }
}

void CheckHolidayCalendars(const v1::Policy& policy, Problems* problems) {
  if (!problems->Count("holiday_calendars", policy.holiday_calendars_size(), 0, kMaxHolidayCalendars)) return;
  std::map<std::string, std::string> names;
  for (int i = 0; i < policy.holiday_calendars_size(); ++i) {
    const v1::HolidayCalendar& calendar = policy.holiday_calendars(i);
    const std::string path = absl::StrCat("holiday_calendars[", i, "]");
    problems->Name(path + ".name", calendar.name(), IsRegimeCharacter, "[a-z0-9_-]");
    problems->Unique(&names, calendar.name(), Quoted(calendar.name()), path + ".name");
    CheckDates(calendar, path + ".dates", problems);
  }
}

}  // namespace consent::policy
