// One way to read, decide, commit, and begin anew where somebody else wrote first.
#pragma once

#include "absl/status/statusor.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/store/store.h"

namespace consent::service {

// Of a change that lost to others: each attempt loses only to another change that was made. One that somebody waits for
// goes on beyond that (ChangeRequest::is_awaited).
inline constexpr int kMaxCommitAttempts = 1000;

inline bool MayTryAgain(int attempts, const Awaited& is_awaited) {
  return attempts < kMaxCommitAttempts || (is_awaited && is_awaited());
}

// Calls `attempt` until its commit meets no conflict. It reads all that it decides by, and answers how its commit
// ended; an error, or kCommitted where there is nothing to write, ends it. Blocks as `attempt` does. The attempt's
// error, or that of its outcome; CONTENTION where it may not be tried again.
template <typename Attempt>
absl::Status RetryOnConflict(Attempt attempt, const Awaited& is_awaited = {}) {
  for (int n = 0; n == 0 || MayTryAgain(n, is_awaited); ++n) {
    const absl::StatusOr<store::Outcome> outcome = attempt();
    if (!outcome.ok()) return outcome.status();
    if (*outcome != store::Outcome::kConflict) return OutcomeStatus(*outcome);
  }
  return OutcomeStatus(store::Outcome::kConflict);
}

}  // namespace consent::service
