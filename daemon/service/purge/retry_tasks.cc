// Tasks that failed are handed out at once: their pauses end.
#include <numeric>
#include <utility>

#include "daemon/service/commit/retry.h"
#include "daemon/service/purge/purge_tasks.h"
#include "daemon/service/rows/task_rows.h"

namespace consent::service {
namespace {

// What retrying the task comes to; kDue: its pause has to be ended.
Retried RetriedOf(const Core& core, const TaskRow& row) {
  if (row.waits_for_release) return Retried::kOnHold;
  if (HandOutFrom(core, row).micros == 0) return Retried::kWasDue;
  if (row.leased_until.IsSet()) return Retried::kLeased;
  // A pause goes by the boot clock, a date does not: looking for late data before its date would miss it.
  return row.waits_until.boot == base::BootId{} ? Retried::kWaitsForDate : Retried::kDue;
}

}  // namespace

absl::StatusOr<std::vector<Retried>> PurgeTasks::Retry(const SystemRow& system,
                                                       const std::vector<DeletionPlace>& places,
                                                       const std::string& caller) {
  std::vector<Retried> answers(places.size(), Retried::kNotFound);
  std::vector<size_t> left(places.size());
  std::iota(left.begin(), left.end(), size_t{0});
  for (int attempt = 0; attempt < kMaxCommitAttempts && !left.empty(); ++attempt) {
    std::vector<PartitionCommit> commits;
    std::vector<size_t> committed;
    for (const size_t i : left) {
      std::string bytes;
      const absl::StatusOr<TaskRow> row = LoadTask(core_, system, places[i], &bytes);
      if (!row.ok() && !absl::IsNotFound(row.status())) return row.status();
      answers[i] = row.ok() ? RetriedOf(core_, *row) : Retried::kNotFound;
      if (answers[i] != Retried::kDue) continue;
      TaskRow next = *row;
      next.waits_until = core_.time.After(base::Span{});
      next.not_before = base::Instant{};
      commits.push_back(
          {places[i].partition,
           {{store::Table::kTask, TaskKey(system.number, places[i].number), std::move(bytes)}},
           [this_write = PutTask(system, places[i], next), &system, &caller](const store::Stamp&) {
             return store::Change{{this_write}, PlainEvent(ChangeKind::kTaskRetried, "", system.name, caller)};
           }});
      committed.push_back(i);
    }
    left.clear();
    const std::vector<store::CommitResult> results = CommitAll(core_, commits);
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].outcome == store::Outcome::kCommitted) continue;
      // Somebody else wrote the row: it is read again.
      if (results[i].outcome != store::Outcome::kConflict) return OutcomeStatus(results[i].outcome);
      left.push_back(committed[i]);
    }
  }
  return left.empty() ? absl::StatusOr<std::vector<Retried>>(std::move(answers))
                      : OutcomeStatus(store::Outcome::kConflict);
}

}  // namespace consent::service
