// Purge tasks: handed out, reported, given back. The rows decide; the board says where to look.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/data_systems.h"
#include "daemon/service/deletion_rows.h"
#include "daemon/service/task_board.h"

namespace consent::service {

// A task that was handed out.
struct LeasedTask {
  DeletionPlace place;
  TaskRow row;
  domain::DeletionRequest request;
  DeletionPayload payload;
  std::vector<std::string> exceptions;  // what is on hold: serialised consent.v1.HoldSelectors
};

// How a task ended, by whom it was leased.
struct TaskReport {
  DeletionPlace place;
  std::optional<uint64_t> epoch;  // of the lease; absent: the system is being retired
  domain::PurgeOutcome outcome = domain::PurgeOutcome::kOpen;
  uint64_t erased_count = 0;
  base::Digest evidence{};
  std::string reason;
};

// A task that was not done.
struct TaskFailure {
  uint64_t epoch = 0;
  std::string error;
  bool not_begun = false;  // given back: no failure, and free at once
};

// Ends one task; or has it done again, where late data can still reach the system or something was on hold. With the last task of a request its
// key's share goes; that it is COMPLETED is said once that has left the files (erasures.h). Repeating a report changes nothing. Blocks. TASK_NOT_FOUND, LEASE_LOST and those of the store.
absl::Status EndTask(Context& context, TaskBoard& board, const SystemRow& system, const TaskReport& report);

struct OpenTask {
  DeletionPlace place;
  TaskRow row;
  domain::DeletionRequest request;
};
struct OpenTasks {
  std::vector<OpenTask> tasks;
  std::optional<DeletionPlace> next;  // where to go on; nothing: that was all
};

// Thread-safe. All of these block: call them on a pool thread.
class PurgeTasks {
 public:
  PurgeTasks(Context& context, TaskBoard& board);

  // At most `limit` tasks, each with an epoch of its own lease; durable before they are returned. Empty: there are none now.
  absl::StatusOr<std::vector<LeasedTask>> Lease(const SystemRow& system, size_t limit, base::Span visibility);
  absl::Status End(const SystemRow& system, const TaskReport& report) { return EndTask(context_, board_, system, report); }
  // Gives the task back, to be handed out again after a delay. TASK_NOT_FOUND, LEASE_LOST. Repeating a report of the latest failure is OK.
  absl::Status Fail(const SystemRow& system, DeletionPlace place, const TaskFailure& failure);
  // From `from` on, at most `limit` of those that failed at least `min_failures` times.
  // When the system's oldest open task was made; unset: none is open, or it cannot be read.
  base::Instant OldestOpen(const SystemRow& system) const;
  absl::StatusOr<OpenTasks> List(const SystemRow& system, uint32_t min_failures, size_t limit, DeletionPlace from) const;

 private:
  struct Candidate;
  // Of one partition, in one commit. A conflict: nothing was leased. Places that were not looked at are left in `places`.
  absl::StatusOr<store::Outcome> LeaseIn(store::Partition partition, const SystemRow& system, std::set<DeletionPlace>* places,
                                         base::Span visibility, std::vector<LeasedTask>* leased);
  // Nothing: it is not to be handed out now.
  absl::StatusOr<std::optional<Candidate>> Consider(const SystemRow& system, DeletionPlace place);

  Context& context_;
  TaskBoard& board_;
};

}  // namespace consent::service
