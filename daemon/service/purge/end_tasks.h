// Reports of ended tasks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/system_rows.h"

namespace consent::service {

// How a task ended, by whom it was leased.
struct TaskReport {
  DeletionPlace place;
  std::optional<uint64_t> epoch;  // of the lease; absent: the system is being retired
  domain::PurgeOutcome outcome = domain::PurgeOutcome::kOpen;
  uint64_t erased_count = 0;
  base::Digest evidence{};
  std::string reason;
  domain::ExemptReason exempt = domain::ExemptReason::kMissing;  // of kExempt alone
};

// Ends tasks; or has them done again, where late data can still reach the system or something was on hold. With the
// last task of a request its key's share goes; that it is COMPLETED is said once that has left the files (erasures.h).
// Repeating a report changes nothing. Blocks. The answers, in the order of the reports: OK, TASK_NOT_FOUND, LEASE_LOST,
// and those of the store. No task twice; those of one partition share a commit.
std::vector<absl::Status> EndTasks(Core& core, const SystemRow& system, const std::vector<TaskReport>& reports);
absl::Status EndTask(Core& core, const SystemRow& system, const TaskReport& report);

}  // namespace consent::service
