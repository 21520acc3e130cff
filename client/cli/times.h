// Times and spans as people type them: one reader for all options that take a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "client/src/wall_clock.h"  // IWYU pragma: export
#include "consent/types.h"

namespace consent::cli {

// What may be typed beside RFC 3339, and what a day or a month then means. All days are those of UTC.
enum class TimeForm {
  // RFC 3339 and nothing else: the clock of this machine must not stand in for another one.
  kExact,
  // Also `now`, and spans from it: `-2h`, `+30d`, `now-2h`. For what goes on record: a day has no time of day.
  kMoment,
  // Also a day (`2026-11-01`) and a month (`2026-11`): the first instant of it.
  kFirst,
  // The same: the last microsecond of it, for an end that belongs to what it ends.
  kLast,
};

// Nothing where `text` is none of the form, or names a time outside of 1970 to 9999. `now` is this machine's time.
// Pure.
std::optional<Time> ReadTime(const std::string& text, TimeForm form, Time now);
// What the form permits, as an error says it.
std::string TimeForms(TimeForm form);

// "30s", "15min", "12h" or "30d". False, and *out untouched, on anything else and beyond 100,000 days.
bool ParseDuration(const std::string& text, std::chrono::seconds* out);

// The page of `help times`, in so many columns.
std::string TimesHelp(size_t columns);

}  // namespace consent::cli
