// What leasing and ending a task share. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/subject_rows.h"

namespace consent::service {

absl::Status NoSuchTask();
absl::Status LeaseLost();
absl::Status DamagedTask();

// NotFound: there is no such row.
absl::StatusOr<TaskRow> LoadTask(const Context& context, const SystemRow& system, DeletionPlace place, std::string* bytes);
store::Write PutTask(const SystemRow& system, DeletionPlace place, const TaskRow& row);
store::Write PutDeletion(DeletionPlace place, const DeletionRow& row);

// The subject as holds and leases see it.
struct Guard {
  base::SubjectHandle subject;
  StoredFacts facts;
  std::vector<HoldInForce> holds;
  std::optional<store::Seen> seen;

  // A hold is placed by a change of the record, so nothing is placed unseen between this reading and the commit.
  store::Precondition AsPrecondition(const Context& context) const;
};
absl::StatusOr<Guard> LoadGuard(const Context& context, base::SubjectHandle subject);
// When the task may be handed out, by the boot clock. Zero: at once.
base::Span HandOutFrom(const Context& context, const TaskRow& task);
// A hold that was placed after the lease covers some of what was handed out.
bool IsTakenBack(const TaskRow& task, const Overlap& overlap);

}  // namespace consent::service
