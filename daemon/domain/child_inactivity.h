// What the profile of a child who no longer uses the assistant is due for: a notice to the guardian, and once the
// notice's period has passed without activity, R3's CHILD_INACTIVE. By the rules of the region where the account lives
// alone; a recording is judged by those of its own region, too, and may be PURGE before.
#pragma once

#include <cstdint>

#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::domain {

// Numbers equal those of consent.v1.
enum class ChildDue : uint8_t {
  kNone = 0,
  kNotice = 1,  // the guardian has to be told
  kAnswer = 2,  // was told, and the period runs
  kPurge = 3,   // the period is surely over
};

struct ChildInactivity {
  ChildDue due = ChildDue::kNone;
  Instant inactive_at;  // unset where due is kNone
  Instant purge_at;     // of a notice that stands; else unset
};

// Nothing is due of an adult, of one who has been active, of a profile that is not registered or whose activity is not
// known, and of an account that is closed: its closure orders all of it away. Pure; thread-safe.
ChildInactivity InactivityOf(const SubjectFacts& subject, const ScopeFacts& profile, const base::Now& now,
                             const Rules& rules);

}  // namespace consent::domain
