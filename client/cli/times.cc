#include "client/cli/times.h"

#include <algorithm>
#include <cstdint>

#include "client/cli/terminal.h"
#include "daemon/base/time.h"

namespace consent::cli {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = int64_t{86'400} * kMicrosPerSecond;
constexpr size_t kMonthLength = 7;  // 2026-11
constexpr size_t kDateLength = 10;  // 2026-11-01

std::optional<Time> TimeAt(int64_t micros) {
  if (micros < 0 || micros > base::kLastInstant.micros + kMicrosPerSecond - 1) return std::nullopt;
  return Time(std::chrono::microseconds(micros));
}

// The span of "now", "-2h", "+30d", "now-2h".
bool ParseRelative(const std::string& text, std::chrono::seconds* out) {
  constexpr char kNow[] = "now";
  constexpr size_t kNowLength = sizeof kNow - 1;
  const bool named = text.compare(0, kNowLength, kNow) == 0;
  const std::string rest = named ? text.substr(kNowLength) : text;
  *out = std::chrono::seconds(0);
  if (rest.empty()) return named;
  if (rest[0] != '-' && rest[0] != '+') return false;
  if (!ParseDuration(rest.substr(1), out)) return false;
  if (rest[0] == '-') *out = -*out;
  return true;
}

std::optional<Time> ReadDay(const std::string& text, bool first) {
  base::Date begins;
  base::Date ends;
  if (text.size() != kMonthLength && text.size() != kDateLength) return std::nullopt;
  const std::string first_day = text.size() == kMonthLength ? text + "-01" : text;
  if (!base::ParseDate(first_day, &begins) || !base::ParseDate(text, &ends)) return std::nullopt;
  return TimeAt(first ? begins.days * kMicrosPerDay : (ends.days + 1) * kMicrosPerDay - 1);
}

}  // namespace

bool ParseDuration(const std::string& text, std::chrono::seconds* out) {
  constexpr size_t kMostDigits = 9;
  constexpr int64_t kMostSeconds = int64_t{100'000} * 86'400;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > kMostDigits) return false;
  const std::string unit = text.substr(digits);
  const int64_t factor = unit == "s" ? 1 : unit == "min" ? 60 : unit == "h" ? 3'600 : unit == "d" ? 86'400 : 0;
  const int64_t seconds = std::stoll(text.substr(0, digits)) * factor;
  if (factor == 0 || seconds > kMostSeconds) return false;
  *out = std::chrono::seconds(seconds);
  return true;
}

std::optional<Time> ReadTime(const std::string& text, TimeForm form, Time now) {
  int64_t micros = 0;
  if (base::ParseTimestamp(text, &micros)) return Time(std::chrono::microseconds(micros));
  if (form == TimeForm::kExact) return std::nullopt;
  std::chrono::seconds span{0};
  if (ParseRelative(text, &span)) {
    return TimeAt((now.time_since_epoch() + std::chrono::duration_cast<Time::duration>(span)).count());
  }
  if (form == TimeForm::kMoment) return std::nullopt;
  return ReadDay(text, form == TimeForm::kFirst);
}

std::string TimeForms(TimeForm form) {
  std::string time = "a time such as 2024-05-01T12:00:00Z (RFC 3339)";
  switch (form) {
    case TimeForm::kExact:
      return time;
    case TimeForm::kMoment:
      return time + ", now, or a span from now such as -2h or +30d (s, min, h, d)";
    case TimeForm::kFirst:
    case TimeForm::kLast:
      break;
  }
  const std::string instant = form == TimeForm::kFirst ? "first" : "last";
  return "a date such as 2024-05-01 or a month such as 2024-05 (its " + instant + " instant, UTC), " + time +
         ", now, or a span from now such as -30d (s, min, h, d)";
}

std::string TimesHelp(size_t columns) {
  std::string page =
      "Times\n"
      "\n"
      "  2026-11-01T12:00:00Z  a time (RFC 3339), with any offset, up to microseconds\n"
      "  now                   this machine's time\n"
      "  -30d, -12h, +15min    a span from now: s, min, h, and d of 24 hours\n"
      "  now-30d               the same\n"
      "  2026-11-01            a day of UTC\n"
      "  2026-11               a month of UTC\n";
  constexpr const char* kParagraphs[] = {
      "Where a day or a month begins something (--from, --received-from), or ends what the end does not belong to "
      "(--to "
      "of reports, lists and `decisions`, --received-before, --due-before), it is its first instant: `--from 2026-10 "
      "--to 2026-11` is October. Where the end belongs to it (--to of `delete` and `holds place`), it is its last "
      "instant: there `--from 2026-10 --to 2026-10` is October. A single time (`settings at`, --at of `check`, "
      "--review, "
      "--until, --attested-until) is the first instant, too.",
      "What goes on record as having happened (--captured-at, --ingested-at, --spoken-at, --at of `requests` and "
      "`children`) is a time, now or a span: a day has no time of day. `clock confirm` takes RFC 3339 alone, because "
      "this machine's clock must not vouch for itself. Lines of files take RFC 3339 alone: sent again later, they must "
      "say the same."};
  for (const char* const paragraph : kParagraphs) {
    page += "\n";
    for (const std::string& line : WrapText(paragraph, columns)) page += line + "\n";
  }
  return page;
}

}  // namespace consent::cli
