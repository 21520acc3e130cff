#include "daemon/service/purge/open_tasks.h"

#include <algorithm>
#include <utility>

#include "daemon/service/rows/task_rows.h"

namespace consent::service {

absl::Status OpenTasksOf::Load(const Core& core, DeletionPlace place, const domain::DeletionRequest& request) {
  place_ = place;
  tasks_.clear();
  for (const domain::SystemProgress& part : request.parts) {
    if (part.outcome != domain::PurgeOutcome::kOpen) continue;
    SystemRow system;
    system.number = part.system;
    One one{part.system, {}, {}};
    absl::StatusOr<TaskRow> row = LoadTask(core, system, place, &one.bytes);
    if (absl::IsNotFound(row.status())) continue;  // it ended meanwhile: the request's row is another then
    if (!row.ok()) return row.status();
    one.row = *std::move(row);
    tasks_.push_back(std::move(one));
  }
  return absl::OkStatus();
}

void OpenTasksOf::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  for (const One& one : tasks_) {
    preconditions.push_back({store::Table::kTask, TaskKey(one.system, place_.number), one.bytes});
  }
}

void OpenTasksOf::Delete(std::vector<store::Write>& writes) const {
  for (const One& one : tasks_) {
    writes.push_back({store::Table::kTask, TaskKey(one.system, place_.number), std::nullopt});
  }
}

void OpenTasksOf::TakeBack(std::vector<store::Write>& writes) const {
  for (const One& one : tasks_) {
    TaskRow next = one.row;
    if (next.leased_until.IsSet()) {
      next.leased_before = true;
      next.leased_until = base::Instant{};
      next.waits_until = base::BootTime{};
      next.not_before = base::Instant{};
    }
    writes.push_back({store::Table::kTask, TaskKey(one.system, place_.number), EncodeTaskRow(next)});
  }
}

bool OpenTasksOf::ErasedAny() const {
  return std::any_of(tasks_.begin(), tasks_.end(), [](const One& one) { return one.HasErased(); });
}

void OpenTasksOf::EndParts(const std::string& reason, domain::ExemptReason exempt, base::Instant now,
                           domain::DeletionRequest* request) const {
  for (const One& one : tasks_) {
    domain::SystemProgress part;
    part.system = one.system;
    // The report of a lease that is out does not count any more.
    part.epoch = one.row.epoch + (one.row.leased_until.IsSet() ? 1 : 0);
    part.outcome = one.HasErased() ? domain::PurgeOutcome::kAcknowledged : domain::PurgeOutcome::kExempt;
    part.reason = reason;
    if (part.outcome == domain::PurgeOutcome::kExempt) part.exempt = exempt;
    part.erased_count = one.row.erased_count;
    part.evidence = one.row.evidence;
    part.leased_before = one.row.leased_before || one.row.leased_until.IsSet();
    domain::EndPart(*request, part, now);
  }
}

}  // namespace consent::service
