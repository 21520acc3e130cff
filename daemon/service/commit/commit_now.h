// Commits that their caller waits for, and what their outcomes mean for it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// One commit to one partition; its event is PlainEvent's, to which a nonce is added.
struct PartitionCommit {
  store::Partition partition;
  std::vector<store::Precondition> preconditions;
  store::Build build;
};

// Blocks until the commit is answered; not on the store's own threads.
store::CommitResult CommitNow(Core& core, store::Partition partition,
                              const std::vector<store::Precondition>& preconditions, const store::Build& build);
// All of them at once, so that they share syncs; each for itself, none waits for another. The results in their order.
std::vector<store::CommitResult> CommitAll(Core& core, const std::vector<PartitionCommit>& commits);

// The same, again and again while the store's queue is full (or reports a conflict of no precondition), for ten
// seconds: for what should not stop half way.
store::CommitResult CommitPatiently(Core& core, store::Partition partition,
                                    const std::vector<store::Precondition>& preconditions, const store::Build& build);
std::vector<store::CommitResult> CommitAllPatiently(Core& core, std::vector<PartitionCommit> commits);
// OVERLOADED, NOT_SERVING, OUTCOME_UNKNOWN, CONTENTION; OK of kCommitted.
absl::Status OutcomeStatus(store::Outcome outcome);

// An event that is no part of a subject's history. `detail`: at most 256 bytes, without ids. `caller`: whose call made
// it, at most 64 bytes; empty: the daemon's own, and those of tasks, which their data system made.
store::Event PlainEvent(ChangeKind kind, const std::string& policy_version, const std::string& detail = {},
                        const std::string& caller = {});

}  // namespace consent::service
