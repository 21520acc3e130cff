// Purge tasks: handed out, reported, given back. The rows decide; the queue says where to look.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/purge/end_tasks.h"
#include "daemon/service/purge/task_queue.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/task_rows.h"

namespace consent::service {

// A task that was handed out.
struct LeasedTask {
  DeletionPlace place;
  TaskRow row;
  domain::DeletionRequest request;
  DeletionPayload payload;
  std::vector<std::string> exceptions;  // what is on hold: serialised consent.v1.HoldSelectors
};

// A task that was not done.
struct TaskFailure {
  uint64_t epoch = 0;
  std::string error;
  bool not_begun = false;  // given back: no failure, and free at once
  // What was erased all the same, before the run was ended or failed.
  uint64_t erased_count = 0;
  base::Digest evidence{};
};

// What has become of a lease.
struct Renewal {
  enum class State : uint8_t {
    kLost = 0,  // it ran out and the task was handed out again, was given back, or its request was cancelled
    kRenewed = 1,
    kTakenBack = 2,  // by a hold: what the worker does now may erase what must be kept
    kDone = 3,       // it was reported
  };
  State state = State::kLost;
  base::Instant until;  // of kRenewed
};

struct OpenTask {
  DeletionPlace place;
  TaskRow row;
  bool waits = false;  // for the end of its lease, of its pause, or for its date
  domain::DeletionRequest request;
};
struct OpenTasks {
  std::vector<OpenTask> tasks;
  std::optional<DeletionPlace> next;  // where to go on; nothing: that was all
};

// What has become of a task that is to be tried again at once. Numbers equal those of consent.v1.RetryState.
enum class Retried : uint8_t {
  kDue = 1,     // its pause has ended by this call
  kWasDue = 2,  // no pause holds it back
  kLeased = 3,  // a worker has it, and keeps it
  kOnHold = 4,  // what is left of it waits for a release
  kNotFound = 5,
  kWaitsForDate = 6,  // it is to be done again for late data, and not before that can have arrived
};

// Thread-safe. All of these block: call them on a pool thread.
class PurgeTasks {
 public:
  PurgeTasks(Core& core, TaskQueue& queue);

  // Where the request of a task lies. Without an id, which a malformed text has none of, the answer is that of an
  // unknown one. Blocks. TASK_NOT_FOUND, STORE_UNREADABLE.
  absl::StatusOr<DeletionPlace> Find(const std::optional<base::DeletionId>& id) const;
  // At most `limit` accepted tasks, each with an epoch of its own lease; durable before they are returned. Empty: there
  // are none now.
  absl::StatusOr<std::vector<LeasedTask>> Lease(const SystemRow& system, size_t limit, base::Span visibility,
                                                Accepts accepts = kAcceptsAll);
  // What Lease would hand out now. Writes nothing and leases nothing: each has the row of before.
  absl::StatusOr<std::vector<LeasedTask>> Look(const SystemRow& system, size_t limit, Accepts accepts = kAcceptsAll);
  std::vector<absl::Status> End(const SystemRow& system, const std::vector<TaskReport>& reports) {
    for (const TaskReport& report : reports) queue_.NoteReport(system.number, report.place, core_.Now());
    return EndTasks(core_, system, reports);
  }
  // Gives the task back, to be handed out again after a delay. TASK_NOT_FOUND, LEASE_LOST. Repeating a report of the
  // latest failure is OK. A lease that a hold took back is no failure, and what it erased counts even where the task is
  // handed out again already.
  absl::Status Fail(const SystemRow& system, DeletionPlace place, const TaskFailure& failure);
  // Keeps a lease for `visibility` from now on; writes only where less than three quarters of that are left, so that it
  // may be asked often.
  absl::StatusOr<Renewal> Renew(const SystemRow& system, DeletionPlace place, uint64_t epoch, base::Span visibility);
  // Ends the pauses of tasks that failed; `caller` (at most 64 bytes) is on record with each. Never touches a lease,
  // and a lease that comes between wins: the task's row is a precondition. Repeating is harmless. The answers, in the
  // order of the places, each once; an error: some may be done.
  absl::StatusOr<std::vector<Retried>> Retry(const SystemRow& system, const std::vector<DeletionPlace>& places,
                                             const std::string& caller);
  // When the system's oldest open task was made; unset: none is open. From memory.
  base::Instant OldestOpen(const SystemRow& system) const;
  // From `from` on, at most `limit` of those that failed at least `min_failures` times.
  absl::StatusOr<OpenTasks> List(const SystemRow& system, uint32_t min_failures, size_t limit,
                                 DeletionPlace from) const;

 private:
  struct Candidate;
  struct Handout;
  // Considers the handout's places until the reply is full: adds to `bytes` what the tasks found say. An error: nothing
  // of it is to be handed out.
  absl::Status ConsiderAll(const SystemRow& system, size_t* bytes, Handout* handout);
  static void PutBack(Handout* handout);
  void GiveBack(const SystemRow& system, const std::vector<Handout>& handouts);
  // Takes from the queue what may be handed out, and considers it. An error: of those that were not considered.
  absl::Status TakeAll(const SystemRow& system, size_t limit, Accepts accepts, std::vector<Handout>* handouts);
  // Refers to `handout`.
  PartitionCommit CommitOf(const SystemRow& system, base::Span visibility, const Handout& handout);
  // All handouts at once. An error: of those that were not committed, which are put back; also after a conflict.
  absl::Status HandOut(const SystemRow& system, base::Span visibility, std::vector<Handout>& handouts,
                       std::vector<LeasedTask>* leased);
  // Nothing: it is not to be handed out now.
  absl::StatusOr<std::optional<Candidate>> Consider(const SystemRow& system, DeletionPlace place);

  // By the boot clock, when to look again at a task that a report of SAFETY holds until then.
  base::Span PauseUntil(base::Instant until) const;
  // What of the selection is on hold goes with the task. False: a hold was released since the snapshot, or it cannot be
  // said what is to be left out.
  absl::StatusOr<bool> AddExceptions(const HoldSnapshot& snapshot, const domain::DeletionRequest& request,
                                     Candidate* found) const;
  // A hold covers some of what the task's latest lease handed out; fills `snapshot`.
  absl::StatusOr<bool> WasTakenBack(DeletionPlace place, const TaskRow& row, HoldSnapshot* snapshot) const;

  Core& core_;
  TaskQueue& queue_;
};

}  // namespace consent::service
