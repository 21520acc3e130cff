// Time zones of the machine's database, and the days in them.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "daemon/base/time.h"

namespace consent::base {

// Whether the time zone database names a zone so, links of former names among them: by `tzdata.zi` in $TZDIR or
// /usr/share/zoneinfo, which lists every name of its release. Not by the files beside it, where `posixrules`,
// `localtime`, `posix/UTC` and `right/UTC` lie, too; and not `Factory`, which is no zone but a machine's whose zone was
// never set. False where the list cannot be read. Reads the list each time.
bool IsTimeZoneName(std::string_view name);

// Immutable; thread-safe.
class TimeZone {
 public:
  static TimeZone Utc() { return TimeZone(absl::UTCTimeZone()); }
  // At most a day away from UTC.
  static TimeZone EastOfUtc(Span offset) {
    return TimeZone(absl::FixedTimeZone(static_cast<int>(offset.micros / 1'000'000)));
  }
  // nullopt: IsTimeZoneName says no, or its file cannot be read.
  static std::optional<TimeZone> Load(std::string_view name);

  // The day there, at most the last of 9999; of what lies outside of 1970 to 9999 that of the nearest instant within.
  Date DayOf(Instant t) const;
  // Midnight, or, where the clocks skip it, what follows; the first of two midnights. At least the first microsecond of
  // 1970; kEndOfTime after the last day of 9999.
  Instant StartOf(Date day) const;
  bool operator==(const TimeZone&) const = default;

 private:
  explicit TimeZone(absl::TimeZone zone) : zone_(zone) {}
  absl::TimeZone zone_;
};

}  // namespace consent::base
