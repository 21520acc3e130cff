// The rows of purge tasks, and what leasing and ending one reads. Layouts: store/FORMAT.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/system_rows.h"

namespace consent::service {

// Why a task that was reported, or begun, is to be done again. Numbers equal those of consent.v1.TaskAgain and are on
// disk.
enum class Again : uint8_t {
  kNo = 0,
  kLateData = 1,      // for what arrived since the report before
  kHoldReleased = 2,  // for all that is selected: some of it was on hold
  kTakenBack = 3,     // for all that is selected: a hold took back the lease under which it was being done
};

// A task that has not ended.
struct TaskRow {
  uint64_t epoch = 0;  // of the latest lease; 0: never leased
  uint32_t failures = 0;
  uint64_t failed_epoch = 0;   // of the lease that was given back last
  bool leased_before = false;  // a lease ended without a report of its end, so it may have erased
  // The lease or the pause after a failure that it waits for, by the boot clock: as long as it was meant, whatever the
  // wall does. Of no boot: it waits for nothing but not_before.
  base::BootTime waits_until;
  base::Instant not_before;        // when it may be handed out, as far as the wall tells; unset: at once
  base::Instant leased_until;      // set: a lease is out; its value is for showing
  uint64_t holds_seen = 0;         // SubjectFacts::holds_changed at the latest lease
  bool has_exceptions = false;     // the latest lease left something on hold alone
  bool waits_for_release = false;  // what is left of it is on hold, as far as `holds_seen` tells
  // Recordings that a report of SAFETY held at the latest lease: fewer by time alone, so `holds_seen` does not tell.
  uint32_t safety_held = 0;
  std::string last_error;
  // What was reported before, where the task is to be done again: for late data, or for what was on hold.
  domain::PurgeOutcome first_outcome = domain::PurgeOutcome::kOpen;  // kOpen: nothing yet
  uint64_t first_epoch = 0;
  Again again = Again::kNo;
  base::Instant looked_at;  // of the report before
  // Of all reports of what was erased, those of runs that were not finished included; the evidence is the latest.
  uint64_t erased_count = 0;
  base::Digest evidence{};
  uint64_t partial_epoch = 0;  // of the latest lease of which a run that was not finished is counted in `erased_count`
  // The lease that a hold took back, while its worker may not know it yet.
  uint64_t out_epoch = 0;
  base::Instant out_until;  // unset: there is none, or its worker has reported
  uint64_t out_holds_seen = 0;
  bool IsAgain() const { return first_outcome != domain::PurgeOutcome::kOpen; }
};
std::string EncodeTaskRow(const TaskRow& row);
bool DecodeTaskRow(std::string_view bytes, TaskRow* row);
std::string TaskKey(domain::SystemNumber system, DeletionNumber number);
// False unless TaskKey made it.
bool SplitTaskKey(std::string_view key, domain::SystemNumber* system, DeletionNumber* number);

absl::Status NoSuchTask();
absl::Status LeaseLost();
absl::Status DamagedTask();

// NotFound: there is no such row.
absl::StatusOr<TaskRow> LoadTask(const Core& core, const SystemRow& system, DeletionPlace place, std::string* bytes);
store::Write PutTask(const SystemRow& system, DeletionPlace place, const TaskRow& row);
store::Write PutDeletion(DeletionPlace place, const DeletionRow& row);

// The subject as holds and leases see it; with the holds of the accounts that are joined with it.
struct HoldSnapshot {
  base::SubjectHandle subject;
  StoredFacts facts;
  HoldsOfGroup holds;
  std::optional<store::ReadVersion> seen;

  // A hold is placed by a change of the record, so nothing is placed unseen between this reading and the commit; one of
  // a joined account is told to this record before it is acknowledged (Holds), and holds_changed takes leases back.
  store::Precondition AsPrecondition(const Core& core) const;
};
absl::StatusOr<HoldSnapshot> LoadHoldSnapshot(const Core& core, base::SubjectHandle subject);
// When the task may be handed out, by the boot clock. Zero: at once.
base::Span HandOutFrom(const Core& core, const TaskRow& task);
// All of it is done but what was on hold at its latest lease, and still is: no hold was placed or released since, and
// none that a report of SAFETY made has ended.
bool Waits(const TaskRow& task, uint64_t holds_changed, const Overlap& overlap);
// The same of what the latest lease left out, whether it is done or not.
bool IsHeldAsLeased(const TaskRow& task, uint64_t holds_changed, const Overlap& overlap);
// A hold that was placed after the lease covers some of what was handed out.
bool IsTakenBack(const TaskRow& task, const Overlap& overlap);

}  // namespace consent::service
