#include "daemon/service/rows/task_rows.h"

#include <utility>

#include "daemon/wire/errors.h"

namespace consent::service {

absl::Status NoSuchTask() {
  return wire::MakeError(v1::ERROR_REASON_TASK_NOT_FOUND, "the system has no open task of that task_id");
}
absl::Status LeaseLost() {
  return wire::MakeError(v1::ERROR_REASON_LEASE_LOST,
                         "the task was handed out again, given back or ended since: this lease's report counts no more");
}
absl::Status DamagedTask() { return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a purge task's row is damaged"); }

absl::StatusOr<TaskRow> LoadTask(const Context& context, const SystemRow& system, DeletionPlace place, std::string* bytes) {
  absl::StatusOr<std::string> stored = context.store.Get(place.partition, store::Table::kTask, TaskKey(system.number, place.number));
  if (absl::IsNotFound(stored.status())) return stored.status();
  if (!stored.ok()) return StoreUnreadable();
  TaskRow row;
  if (!DecodeTaskRow(*stored, &row)) return DamagedTask();
  *bytes = *std::move(stored);
  return row;
}

store::Write PutTask(const SystemRow& system, DeletionPlace place, const TaskRow& row) {
  return {store::Table::kTask, TaskKey(system.number, place.number), EncodeTaskRow(row)};
}

store::Write PutDeletion(DeletionPlace place, const DeletionRow& row) {
  return {store::Table::kDeletion, DeletionKey(place.number), EncodeDeletionRow(row)};
}

store::Precondition Guard::AsPrecondition(const Context& context) const {
  std::optional<std::string> expected;
  if (facts.found) expected = EncodeSubjectRow(subject, facts.bytes);
  return {store::Table::kSubject, context.SubjectKey(subject), std::move(expected), seen};
}

absl::StatusOr<Guard> LoadGuard(const Context& context, base::SubjectHandle subject) {
  Guard guard;
  guard.subject = subject;
  guard.seen = context.store.Now(context.PartitionOf(subject));
  absl::StatusOr<StoredFacts> facts = LoadFacts(context, subject);
  if (!facts.ok()) return facts.status();
  guard.facts = *std::move(facts);
  absl::StatusOr<std::vector<HoldInForce>> holds = LoadHoldsInForce(context, subject, guard.facts.facts);
  if (!holds.ok()) return holds.status();
  guard.holds = *std::move(holds);
  return guard;
}

base::Span HandOutFrom(const Context& context, const TaskRow& task) {
  if (task.waits_until.boot != base::BootId{}) return context.time.IsOver(task.waits_until) ? base::Span{} : task.waits_until.since;
  const base::Instant now = context.Now();
  return task.not_before > now ? context.time.After(task.not_before - now).since : base::Span{};
}

bool IsTakenBack(const TaskRow& task, const Overlap& overlap) { return overlap.any && overlap.latest > task.holds_seen; }

}  // namespace consent::service
