// Commits that their caller waits for, and what their outcomes mean for it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Blocks until the commit is answered; not on the store's own threads. What was committed is noted in the core's
// stamp. `publish`: what every later check is to see, called in the order of the commits before this returns; must not
// block.
store::CommitResult CommitNow(Core& core, store::Partition partition, std::vector<store::Precondition> preconditions,
                              store::Build build, const std::function<void(const store::Stamp&)>& publish = {});
// The same, again and again while the store's queue is full (or reports a conflict of no precondition), for ten
// seconds: for what should not stop half way.
store::CommitResult CommitPatiently(Core& core, store::Partition partition,
                                    const std::vector<store::Precondition>& preconditions, const store::Build& build,
                                    const std::function<void(const store::Stamp&)>& publish = {});
// OVERLOADED, NOT_SERVING, OUTCOME_UNKNOWN, CONTENTION; OK of kCommitted.
absl::Status OutcomeStatus(store::Outcome outcome);

// An event that is no part of a subject's history. `detail`: at most 256 bytes, without ids.
store::Event PlainEvent(ChangeKind kind, const std::string& policy_version, const std::string& detail = {});

}  // namespace consent::service
