// The deadlines of a deletion request: how its periods are counted. Pure; total: every input has an answer.
//
// - Days are those of UTC and those of the rules' other zones: a period is counted in each, and the one that ends first
// counts. A period ends
//   with the end of its last day: the instants below are exclusive, the first of the day after it. In time is who acts
//   before that instant.
// - The day of receipt is not counted, whatever its hour.
// - Calendar days are counted one by one.
// - Business days are those that are neither Saturday nor Sunday nor a holiday of the calendar.
// - Months end on the day of the same number; where their last month lacks it, on that month's last day.
// - What ends on a Saturday, Sunday or holiday is not moved to the next working day, as Regulation (EEC, Euratom)
// 1182/71 Art. 3(4) and
//   national rules would: where readings differ the earlier one is kept.
// Otherwise as Regulation 1182/71 Art. 3(1) and (2)(b), (c) and California Civil Code section 10 count. Where the
// figures come from: daemon/policy/README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/time.h"
#include "daemon/base/time_zone.h"

namespace consent::domain {

// What a period is counted in. Zero is the one that ends earliest.
enum class PeriodUnit : uint8_t { kCalendarDays = 0, kBusinessDays = 1, kMonths = 2 };

inline constexpr int kMaxPeriodDays = 366;
inline constexpr int kMaxPeriodMonths = 24;

// `count` within 1 to kMaxPeriodDays (kMaxPeriodMonths); beyond, it counts as the nearest of 0 and that bound. A
// default-constructed one ends with the day of receipt.
struct Period {
  int32_t count = 0;
  PeriodUnit unit = PeriodUnit::kCalendarDays;
  bool operator==(const Period&) const = default;
};

struct Extension {
  Period length;  // beyond the completion
  Period notice;  // from receipt: until when the user must be told; not longer than the completion
  bool operator==(const Extension&) const = default;
};

// A default-constructed one is what counts where a policy is silent: of each period the shortest that a shipped policy
// has (a test holds them together), no holidays, no extension.
struct DeadlineRules {
  Period confirmation{10, PeriodUnit::kBusinessDays};
  Period completion{1, PeriodUnit::kMonths};
  std::optional<Extension> extension;  // nullopt: the regime allows none
  std::vector<base::Date> holidays;    // sorted; further days that are no business days
  std::vector<base::TimeZone> zones;   // whose days count beside UTC's
  // Of an appeal or complaint about a request, from its own receipt.
  Period appeal_acknowledgement{10, PeriodUnit::kBusinessDays};
  Period appeal_answer{1, PeriodUnit::kMonths};
  bool operator==(const DeadlineRules&) const = default;
};

// When `period` is over for what was received at `received`, by the rules' holidays and zones. Unset if `received` is;
// base::kEndOfTime if the last day is later than 9999-12-30. What lies before 1970 counts as received on 1970-01-01. A
// later receipt never gives an earlier end.
base::Instant EndOf(base::Instant received, const Period& period, const DeadlineRules& rules);

struct Deadlines {
  base::Instant confirm_by;
  base::Instant complete_by;
};
Deadlines DeadlinesOf(base::Instant received, const DeadlineRules& rules);

// Whether the user may be told at `now` that the request is extended: the regime allows it, and neither the notice's
// period nor the completion's is over. False before `received`, or where either time is unset. That a request is
// extended once only is the caller's to remember; a second extension would change nothing, because ExtendedDeadline
// counts from receipt.
bool MayExtend(base::Instant received, base::Instant now, const DeadlineRules& rules);

// The completion's deadline of a request that was extended; `complete_by` where the regime allows no extension. Both
// periods are counted as one from receipt where they have one unit (one month and two further ones are three months);
// else the extension is counted from the last day of the completion's period.
base::Instant ExtendedDeadline(base::Instant received, const DeadlineRules& rules);

}  // namespace consent::domain
