#include "daemon/service/purge/end_tasks.h"

#include <map>
#include <utility>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/wire/errors.h"
#include "proto/enum_names.h"

namespace consent::service {
namespace {

std::string OutcomeName(domain::PurgeOutcome outcome) {
  if (outcome == domain::PurgeOutcome::kOpen) return "OPEN";
  return std::string(proto::EnumName<v1::PurgeOutcome>(static_cast<int>(outcome)));
}

// The worker did what it was asked, so what is left has to be asked for, too: what was on hold, and what may still
// arrive.
bool Looked(const TaskReport& report) {
  const bool looked =
      report.outcome == domain::PurgeOutcome::kAcknowledged || report.outcome == domain::PurgeOutcome::kNotFound;
  return looked && report.epoch.has_value();
}
bool MayArriveLate(const SystemRow& system, const domain::DeletionRequest& request, base::Instant now) {
  return !system.checks_on_ingest && now < request.received_at + system.latest_arrival;
}

// What both rounds together say.
domain::SystemProgress PartOf(const SystemRow& system, const TaskRow& task, const TaskReport& report) {
  domain::SystemProgress part;
  part.system = system.number;
  part.epoch = report.epoch.value_or(task.epoch);
  part.outcome = report.outcome;
  part.reason = report.reason;
  part.exempt = report.exempt;
  part.erased_count = task.erased_count + report.erased_count;  // of all rounds
  part.evidence = report.evidence;
  part.leased_before = task.leased_before;
  const bool found_before = task.first_outcome == domain::PurgeOutcome::kAcknowledged;
  if (found_before && report.outcome == domain::PurgeOutcome::kNotFound) {
    part.outcome = domain::PurgeOutcome::kAcknowledged;
  }
  if (part.evidence == base::Digest{}) {
    part.evidence = task.evidence;
  } else if (task.evidence != part.evidence) {
    part.earlier_evidence = task.evidence;
  }
  return part;
}

// The answer where the task's row is gone.
absl::Status AnswerOfEnded(const Core& core, const SystemRow& system, const TaskReport& report) {
  const absl::StatusOr<DeletionRow> row = LoadDeletion(core, report.place);
  if (wire::DetailOf(row.status()).reason == v1::ERROR_REASON_DELETION_NOT_FOUND) return NoSuchTask();
  if (!row.ok()) return row.status();
  const domain::SystemProgress* part = row->request.Find(system.number);
  if (part == nullptr || part->outcome == domain::PurgeOutcome::kOpen) return NoSuchTask();
  return !report.epoch.has_value() || part->epoch == *report.epoch ? absl::OkStatus() : LeaseLost();
}

// One report against the rows as they are.
struct Ending {
  const TaskReport& report;
  DeletionRow deletion;
  TaskRow task;
  bool on_hold = false;  // some of what the request selects still is, and no hold has ended since the lease
  bool again = false;
  std::vector<store::Precondition> preconditions;

  void Build(const Core& core, const SystemRow& system, const store::Stamp& stamp, std::vector<store::Write>& writes) {
    const domain::DeletionRequest before = deletion.request;
    const bool late = MayArriveLate(system, before, stamp.time);
    again = Looked(report) && (task.has_exceptions || late);
    if (again) {
      const bool waits = task.has_exceptions && on_hold;
      const base::Instant due = late && !task.has_exceptions ? before.received_at + system.latest_arrival : stamp.time;
      TaskRow next = task;
      if (next.first_outcome != domain::PurgeOutcome::kAcknowledged) next.first_outcome = report.outcome;
      next.again = task.has_exceptions ? Again::kHoldReleased : Again::kLateData;
      next.looked_at = stamp.time;
      next.first_epoch = *report.epoch;
      next.erased_count += report.erased_count;
      if (report.evidence != base::Digest{}) next.evidence = report.evidence;
      next.leased_until = base::Instant{};
      next.waits_until = base::BootTime{};
      next.waits_for_release = waits;
      next.not_before = waits ? base::Instant{} : due;
      writes.push_back(PutTask(system, report.place, next));
    } else {
      DeletionRow next = deletion;
      domain::EndPart(next.request, PartOf(system, task, report), stamp.time);
      writes.push_back({store::Table::kTask, TaskKey(system.number, report.place.number), std::nullopt});
      if (domain::AllEnded(next.request)) {
        next.sealed.clear();
        BeginErasure(core, report.place, stamp, writes);
      }
      writes.push_back(PutDeletion(report.place, next));
    }
  }
};

// Reads what the report is about. Nothing in `ending`: the status is the answer.
absl::Status Prepare(const Core& core, const SystemRow& system, const TaskReport& report,
                     std::optional<Ending>* ending) {
  std::string task_bytes;
  absl::StatusOr<TaskRow> task = LoadTask(core, system, report.place, &task_bytes);
  if (absl::IsNotFound(task.status())) return AnswerOfEnded(core, system, report);
  if (!task.ok()) return task.status();
  if (report.epoch.has_value()) {
    if (task->IsAgain() && task->first_epoch == *report.epoch) return absl::OkStatus();
    if (task->epoch != *report.epoch || !task->leased_until.IsSet()) return LeaseLost();
  }
  std::string deletion_bytes;
  absl::StatusOr<DeletionRow> deletion = LoadDeletion(core, report.place, &deletion_bytes);
  if (!deletion.ok()) return deletion.status();
  const base::SubjectHandle subject = deletion->request.subject;
  const absl::StatusOr<HoldSnapshot> snapshot = LoadHoldSnapshot(core, subject);
  if (!snapshot.ok()) return snapshot.status();
  const Overlap overlap = OverlapOf(snapshot->holds, deletion->request.selector);
  if (report.epoch.has_value() && IsTakenBack(*task, overlap)) return LeaseLost();
  const bool still_held = IsHeldAsLeased(*task, snapshot->facts.facts.holds_changed, overlap);
  std::vector<store::Precondition> preconditions = {
      {store::Table::kTask, TaskKey(system.number, report.place.number), std::move(task_bytes)},
      {store::Table::kDeletion, DeletionKey(report.place.number), std::move(deletion_bytes)},
      snapshot->AsPrecondition(core)};
  ending->emplace(Ending{report, *std::move(deletion), *std::move(task), still_held, false, std::move(preconditions)});
  return absl::OkStatus();
}

}  // namespace

absl::Status EndTask(Core& core, const SystemRow& system, const TaskReport& report) {
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    std::optional<Ending> ending;
    absl::Status read = Prepare(core, system, report, &ending);
    if (!read.ok()) return read;
    if (!ending.has_value()) return store::Outcome::kCommitted;
    // The end of a retired system's tasks must not stop half way; a worker repeats its report.
    const bool patiently = !report.epoch.has_value();
    const store::CommitResult result = (patiently ? CommitPatiently : CommitNow)(
        core, report.place.partition, ending->preconditions, [&](const store::Stamp& stamp) {
          store::Change change;
          ending->Build(core, system, stamp, change.writes);
          change.event = PlainEvent(ChangeKind::kTaskEnded, "",
                                    system.name + (ending->again ? " once " : " ") + OutcomeName(report.outcome));
          return change;
        });
    return result.outcome;
  });
}

std::vector<absl::Status> EndTasks(Core& core, const SystemRow& system, const std::vector<TaskReport>& reports) {
  std::vector<absl::Status> answers(reports.size());
  std::map<store::Partition, std::vector<std::pair<size_t, Ending>>> endings;
  for (size_t i = 0; i < reports.size(); ++i) {
    std::optional<Ending> ending;
    answers[i] = Prepare(core, system, reports[i], &ending);
    if (ending.has_value()) endings[reports[i].place.partition].emplace_back(i, *std::move(ending));
  }
  std::vector<PartitionCommit> commits;
  for (auto& [partition, together] : endings) {
    std::vector<store::Precondition> preconditions;
    for (auto& [i, ending] : together) {
      for (store::Precondition& precondition : ending.preconditions) preconditions.push_back(std::move(precondition));
    }
    commits.push_back(
        {partition, std::move(preconditions), [&core, &system, &together = together](const store::Stamp& stamp) {
           store::Change change;
           for (auto& [i, ending] : together) ending.Build(core, system, stamp, change.writes);
           change.event = PlainEvent(ChangeKind::kTaskEnded, "", system.name);
           return change;
         }});
  }
  const std::vector<store::CommitResult> results = CommitAll(core, commits);
  auto result = results.begin();
  for (const auto& [partition, together] : endings) {
    const store::Outcome outcome = (result++)->outcome;
    for (const auto& [i, ending] : together) {
      // Somebody else changed one of them, or they are too many for one commit: each by itself.
      const bool apart = outcome == store::Outcome::kConflict || outcome == store::Outcome::kTooLarge;
      answers[i] = apart ? EndTask(core, system, reports[i]) : OutcomeStatus(outcome);
    }
  }
  return answers;
}

}  // namespace consent::service
