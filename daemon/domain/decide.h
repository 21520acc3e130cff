// THE RULE. One pure, total function; the decision table of the README is its specification.
#pragma once

#include "daemon/domain/decision.h"
#include "daemon/domain/review_caps.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::domain {

// What is asked. `purpose` kNone: the disposition only.
struct Question {
  const RecordingFacts& recording;
  Purpose purpose = Purpose::kNone;
  const Place& place;
  base::Now now;                        // the server's
  const GrantCounts* grants = nullptr;  // where a review grant is asked for: what E11 counts
};

// `subject` nullptr: unknown. `marks`: what is stored of this very recording. No I/O, no exception, no clock; unknown
// means no. Thread-safe. Cost: a few hundred nanoseconds for a subject with few scopes, linear in scopes, holds and
// tombstones.
Decision Decide(const SubjectFacts* subject, const RecordingState& marks, const Question& question, const Rules& rules);

}  // namespace consent::domain
