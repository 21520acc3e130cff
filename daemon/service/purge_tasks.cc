#include "daemon/service/purge_tasks.h"

#include <algorithm>
#include <map>
#include <set>

#include "daemon/service/commit_now.h"
#include "daemon/service/rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

absl::Status NoSuchTask() {
  return wire::MakeError(v1::ERROR_REASON_TASK_NOT_FOUND, "the system has no open task of that task_id");
}
absl::Status LeaseLost() {
  return wire::MakeError(v1::ERROR_REASON_LEASE_LOST,
                         "the task was handed out again, given back or ended since: this lease's report counts no more");
}
absl::Status DamagedTask() { return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a purge task's row is damaged"); }

// NotFound: there is no such row.
absl::StatusOr<TaskRow> LoadTask(const Context& context, const SystemRow& system, DeletionPlace place, std::string* bytes) {
  absl::StatusOr<std::string> stored = context.store.Get(place.partition, store::Table::kTask, TaskKey(system.number, place.sequence));
  if (absl::IsNotFound(stored.status())) return stored.status();
  if (!stored.ok()) return StoreUnreadable();
  TaskRow row;
  if (!DecodeTaskRow(*stored, &row)) return DamagedTask();
  *bytes = *std::move(stored);
  return row;
}

store::Write PutTask(const SystemRow& system, DeletionPlace place, const TaskRow& row) {
  return {store::Table::kTask, TaskKey(system.number, place.sequence), EncodeTaskRow(row)};
}

store::Write PutDeletion(DeletionPlace place, const DeletionRow& row) {
  return {store::Table::kDeletion, DeletionKey(place.sequence), EncodeDeletionRow(row)};
}

const char* OutcomeName(domain::PurgeOutcome outcome) {
  switch (outcome) {
    case domain::PurgeOutcome::kOpen:
      break;
    case domain::PurgeOutcome::kAcknowledged:
      return "ACKNOWLEDGED";
    case domain::PurgeOutcome::kNotFound:
      return "NOT_FOUND";
    case domain::PurgeOutcome::kExempt:
      return "EXEMPT";
    case domain::PurgeOutcome::kExcludedFromNextBuild:
      return "EXCLUDED_FROM_NEXT_BUILD";
    case domain::PurgeOutcome::kErasedBeforeHold:
      return "ERASED_BEFORE_HOLD";
  }
  return "OPEN";
}

// Whether what may still arrive has to be looked for, too.
bool MustBeDoneAgain(const SystemRow& system, const TaskRow& task, const domain::DeletionRequest& request, const TaskReport& report,
                     base::Instant now) {
  const bool looked = report.outcome == domain::PurgeOutcome::kAcknowledged || report.outcome == domain::PurgeOutcome::kNotFound;
  return looked && report.epoch.has_value() && !task.IsAgain() && !system.checks_on_ingest &&
         now < request.received_at + system.latest_arrival;
}

// What both rounds together say.
domain::SystemPart PartOf(const SystemRow& system, const TaskRow& task, const TaskReport& report) {
  domain::SystemPart part;
  part.system = system.number;
  part.epoch = report.epoch.value_or(task.epoch);
  part.outcome = report.outcome;
  part.reason = report.reason;
  part.erased_count = task.erased_count + report.erased_count;
  part.evidence = report.evidence;
  part.leased_before = task.leased_before;
  const bool found_before = task.first_outcome == domain::PurgeOutcome::kAcknowledged;
  if (found_before && report.outcome == domain::PurgeOutcome::kNotFound) part.outcome = domain::PurgeOutcome::kAcknowledged;
  if (part.evidence == base::Digest{}) part.evidence = task.evidence;
  return part;
}

// The answer where the task's row is gone.
absl::Status AnswerOfEnded(const Context& context, const SystemRow& system, const TaskReport& report) {
  const absl::StatusOr<DeletionRow> row = LoadDeletion(context, report.place);
  if (wire::DetailOf(row.status()).reason == v1::ERROR_REASON_DELETION_NOT_FOUND) return NoSuchTask();
  if (!row.ok()) return row.status();
  const domain::SystemPart* part = row->request.Find(system.number);
  if (part == nullptr || part->outcome == domain::PurgeOutcome::kOpen) return NoSuchTask();
  return !report.epoch.has_value() || part->epoch == *report.epoch ? absl::OkStatus() : LeaseLost();
}

// One report against the rows as they are.
struct Ending {
  DeletionRow deletion;
  TaskRow task;
  bool again = false;

  store::Change Build(const Context& context, const SystemRow& system, const TaskReport& report, const store::Stamp& stamp) {
    store::Change change;
    const domain::DeletionRequest before = deletion.request;
    again = MustBeDoneAgain(system, task, before, report, stamp.time);
    if (again) {
      TaskRow next = task;
      next.first_outcome = report.outcome;
      next.first_epoch = *report.epoch;
      next.erased_count = report.erased_count;
      next.evidence = report.evidence;
      next.leased_until = base::Instant{};
      next.not_before = before.received_at + system.latest_arrival;
      change.writes.push_back(PutTask(system, report.place, next));
    } else {
      DeletionRow next = deletion;
      domain::EndPart(next.request, PartOf(system, task, report), stamp.time);
      change.writes.push_back({store::Table::kTask, TaskKey(system.number, report.place.sequence), std::nullopt});
      if (next.request.state == domain::RequestState::kCompleted) {
        next.sealed.clear();
        change.writes.push_back({store::Table::kKeyShare, DeletionShareKey(context, report.place), std::nullopt});
        const DeletionOfRow listed{next.request.state, SelectorDigest(before.selector)};
        change.writes.push_back({store::Table::kDeletionOf, DeletionOfKey(context, before.subject, report.place.sequence),
                                 EncodeDeletionOfRow(listed)});
      }
      change.writes.push_back(PutDeletion(report.place, next));
    }
    change.event = PlainEvent(ChangeKind::kTaskEnded, "", base::View(before.subject.bytes),
                              system.name + (again ? " once " : " ") + OutcomeName(report.outcome));
    return change;
  }
};

}  // namespace

absl::Status EndTask(Context& context, TaskBoard& board, const SystemRow& system, const TaskReport& report) {
  for (int attempt = 0; attempt < kMaxCommitAttempts; ++attempt) {
    std::string task_bytes;
    const absl::StatusOr<TaskRow> task = LoadTask(context, system, report.place, &task_bytes);
    if (absl::IsNotFound(task.status())) return AnswerOfEnded(context, system, report);
    if (!task.ok()) return task.status();
    if (report.epoch.has_value()) {
      if (task->IsAgain() && task->first_epoch == *report.epoch) return absl::OkStatus();
      if (task->epoch != *report.epoch || !task->leased_until.IsSet()) return LeaseLost();
    }
    std::string deletion_bytes;
    absl::StatusOr<DeletionRow> deletion = LoadDeletion(context, report.place, &deletion_bytes);
    if (!deletion.ok()) return deletion.status();
    Ending ending{*std::move(deletion), *task};
    const store::CommitResult result =
        CommitNow(context, report.place.partition,
                  {{store::Table::kTask, TaskKey(system.number, report.place.sequence), task_bytes},
                   {store::Table::kDeletion, DeletionKey(report.place.sequence), deletion_bytes}},
                  [&](const store::Stamp& stamp) { return ending.Build(context, system, report, stamp); });
    if (result.outcome == store::Outcome::kConflict) continue;
    if (absl::Status s = OutcomeStatus(result.outcome); !s.ok()) return s;
    if (ending.again) {
      board.Add(system.number, report.place, ending.deletion.request.received_at + system.latest_arrival);
    } else {
      board.Count(system.number, -1);
    }
    return absl::OkStatus();
  }
  return OutcomeStatus(store::Outcome::kConflict);
}

PurgeTasks::PurgeTasks(Context& context, TaskBoard& board) : context_(context), board_(board) {}

absl::StatusOr<store::Outcome> PurgeTasks::LeaseIn(store::Partition partition, const SystemRow& system, const std::set<DeletionPlace>& places,
                                                   base::Span visibility, std::vector<LeasedTask>* leased) {
  std::vector<store::Precondition> preconditions;
  std::vector<LeasedTask> found;
  std::vector<DeletionRow> begun;  // beside `found`; sealed empty: not changed
  const base::Instant now = context_.Now();
  for (const DeletionPlace& place : places) {
    std::string task_bytes;
    const absl::StatusOr<TaskRow> row = LoadTask(context_, system, place, &task_bytes);
    if (absl::IsNotFound(row.status())) continue;  // ended, or cancelled, since it was put on the board
    if (!row.ok()) return row.status();
    if (std::max(row->not_before, row->leased_until) > now) continue;  // has another entry
    std::string deletion_bytes;
    absl::StatusOr<DeletionRow> deletion = LoadDeletion(context_, place, &deletion_bytes);
    if (!deletion.ok()) return deletion.status();
    absl::StatusOr<DeletionPayload> payload = OpenDeletion(context_, place, *deletion);
    if (absl::IsNotFound(payload.status())) return wire::MakeError(v1::ERROR_REASON_INTERNAL, "an open request has no key: the store is damaged");
    if (!payload.ok()) return payload.status();
    preconditions.push_back({store::Table::kTask, TaskKey(system.number, place.sequence), task_bytes});
    DeletionRow next;
    if (deletion->request.state == domain::RequestState::kAccepted) {
      preconditions.push_back({store::Table::kDeletion, DeletionKey(place.sequence), deletion_bytes});
      next = *deletion;
      domain::Begin(next.request);
    }
    found.push_back(LeasedTask{place, *row, std::move(deletion->request), *std::move(payload)});
    begun.push_back(std::move(next));
  }
  if (found.empty()) return store::Outcome::kCommitted;
  const store::CommitResult result = CommitNow(context_, partition, std::move(preconditions), [&](const store::Stamp& stamp) {
    store::Change change;
    for (size_t i = 0; i < found.size(); ++i) {
      TaskRow next = found[i].row;
      next.leased_before = next.leased_before || next.leased_until.IsSet();
      next.epoch = found[i].row.epoch + 1;
      next.leased_until = stamp.time + visibility;
      next.not_before = base::Instant{};
      change.writes.push_back(PutTask(system, found[i].place, next));
      if (!begun[i].sealed.empty()) change.writes.push_back(PutDeletion(found[i].place, begun[i]));
    }
    change.event = PlainEvent(ChangeKind::kTasksLeased, "", {}, system.name);
    return change;
  });
  if (result.outcome != store::Outcome::kCommitted) return result.outcome;
  for (LeasedTask& task : found) {
    task.row.leased_before = task.row.leased_before || task.row.leased_until.IsSet();
    ++task.row.epoch;
    task.row.leased_until = result.stamp.time + visibility;
    task.row.not_before = base::Instant{};
    board_.Add(system.number, task.place, task.row.leased_until);
    leased->push_back(std::move(task));
  }
  return store::Outcome::kCommitted;
}

absl::StatusOr<std::vector<LeasedTask>> PurgeTasks::Lease(const SystemRow& system, size_t limit, base::Span visibility) {
  std::vector<LeasedTask> leased;
  for (int attempt = 0; attempt < kMaxCommitAttempts && leased.empty(); ++attempt) {
    // A task that was handed out before has an entry for the end of that lease, too.
    std::map<store::Partition, std::set<DeletionPlace>> places;
    for (const DeletionPlace& place : board_.Take(system.number, limit)) places[place.partition].insert(place);
    if (places.empty()) break;
    absl::Status failed;
    for (const auto& [partition, taken] : places) {
      absl::StatusOr<store::Outcome> outcome = LeaseIn(partition, system, taken, visibility, &leased);
      if (outcome.ok() && *outcome == store::Outcome::kCommitted) continue;
      for (const DeletionPlace& place : taken) board_.Add(system.number, place, base::Instant{});
      if (!outcome.ok()) failed = outcome.status();
      if (outcome.ok() && *outcome != store::Outcome::kConflict) failed = OutcomeStatus(*outcome);
    }
    if (leased.empty() && !failed.ok()) return failed;
  }
  return leased;
}

absl::Status PurgeTasks::Fail(const SystemRow& system, DeletionPlace place, uint64_t epoch, const std::string& error) {
  for (int attempt = 0; attempt < kMaxCommitAttempts; ++attempt) {
    std::string bytes;
    absl::StatusOr<TaskRow> row = LoadTask(context_, system, place, &bytes);
    if (absl::IsNotFound(row.status())) return NoSuchTask();
    if (!row.ok()) return row.status();
    if (row->epoch != epoch || !row->leased_until.IsSet()) return LeaseLost();
    const absl::StatusOr<DeletionRow> deletion = LoadDeletion(context_, place);
    if (!deletion.ok()) return deletion.status();
    TaskRow next = *row;
    ++next.failures;
    next.leased_before = true;
    next.leased_until = base::Instant{};
    next.last_error = error;
    uint64_t dice = 0;
    context_.random.Fill(&dice, sizeof dice);
    const base::Span delay = domain::RetryDelay(next.failures, dice);
    const store::CommitResult result =
        CommitNow(context_, place.partition, {{store::Table::kTask, TaskKey(system.number, place.sequence), bytes}},
                  [&](const store::Stamp& stamp) {
                    next.not_before = stamp.time + delay;
                    return store::Change{{PutTask(system, place, next)},
                                         PlainEvent(ChangeKind::kTaskFailed, "", base::View(deletion->request.subject.bytes), system.name)};
                  });
    if (result.outcome == store::Outcome::kConflict) continue;
    if (absl::Status s = OutcomeStatus(result.outcome); !s.ok()) return s;
    board_.Add(system.number, place, result.stamp.time + delay);
    return absl::OkStatus();
  }
  return OutcomeStatus(store::Outcome::kConflict);
}

absl::StatusOr<OpenTasks> PurgeTasks::List(const SystemRow& system, uint32_t min_failures, size_t limit, DeletionPlace from) const {
  OpenTasks page;
  size_t looked_at = 0;
  for (store::Partition partition = from.partition; partition.number < context_.store.partition_count(); ++partition.number) {
    const store::Sequence begin = partition == from.partition ? from.sequence : 0;
    const std::string end = TaskKey(static_cast<domain::SystemNumber>(system.number + 1), 0);
    bool damaged = false;
    const absl::Status scanned = context_.store.Scan(
        partition, store::Table::kTask, TaskKey(system.number, begin), end, SIZE_MAX, [&](std::string_view key, std::string_view value) {
          const DeletionPlace place{partition, SequenceOfKey(key)};
          if (page.tasks.size() >= limit || looked_at++ >= kMaxRowsPerPage) {
            page.next = place;
            return false;
          }
          TaskRow row;
          damaged = !DecodeTaskRow(value, &row);
          if (!damaged && row.failures >= min_failures) page.tasks.push_back(OpenTask{place, std::move(row), {}});
          return !damaged;
        });
    if (!scanned.ok()) return StoreUnreadable();
    if (damaged) return DamagedTask();
    if (page.next.has_value()) break;
  }
  for (OpenTask& task : page.tasks) {
    absl::StatusOr<DeletionRow> deletion = LoadDeletion(context_, task.place);
    if (deletion.ok()) task.request = std::move(deletion->request);
  }
  return page;
}

}  // namespace consent::service
