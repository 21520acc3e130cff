// The strictest of two records: for whoever cannot know which of them holds, because two accounts become one, or
// because one of the records is older than what was lost. Pure.
#pragma once

#include "daemon/domain/types.h"

namespace consent::domain {

// A record under which no recording is eligible for a purpose, at a place and time, unless both `a` and `b` say so; and
// by whose orders (tombstones, closure, retention, floors, ended purposes) goes what goes by one of them. A scope that
// one of them does not know is there as if it had never chosen.
//
// A yes is there only where both gave it, under one notice: it counts from the later time, its lifetime from the
// earlier, and what it must come after (an age, a guardian, a suspension) is asked of the earlier (CountsFrom in
// effective.h). Any other stays stored, `unconfirmed`; it counts, and forgives, once it is given again. A no of either
// stays. Where the two live in two regions, both regions' rules hold until it is told again where: `a`'s is the region,
// `b`'s one that is not left yet (kStillThere). Where only one is registered, no default allows anything until it is
// chosen, as after a denied closure at `at`. A child's inactivity purges only if both guardians were told. What is more
// than a record holds: tombstones go into `cover` (has_more_tombstones), holds grow together, profiles and devices lose
// their registration.
//
// `cover` is the tombstones' of both; nullptr, which denies, where one of them lacks its own or it is full. The
// revision is the later one: who stores the result sets another. Total. As to eligibility in either order the same, and
// of one record with itself that record; where nothing is more than a record holds, of three records in any order the
// same too.
SubjectFacts Strictest(const SubjectFacts& a, const SubjectFacts& b, Instant at);

}  // namespace consent::domain
