#include "daemon/service/rows/task_rows.h"

#include <utility>

#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kTaskFormat = 2;
constexpr uint8_t kExceptionsBit = 64, kWaitsBit = 32, kSafetyBit = 16;

}  // namespace

std::string TaskKey(domain::SystemNumber system, DeletionNumber number) {
  std::string key;
  Encoder out(&key);
  out.BigEndian(system, 2);
  out.BigEndian(number, 8);
  return key;
}

bool SplitTaskKey(std::string_view key, domain::SystemNumber* system, DeletionNumber* number) {
  Decoder in(key);
  *system = static_cast<domain::SystemNumber>(in.BigEndian(2));
  *number = in.BigEndian(8);
  return in.Done();
}

std::string EncodeTaskRow(const TaskRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kTaskFormat);
  out.Byte(static_cast<uint8_t>(static_cast<uint8_t>(row.first_outcome) | (row.leased_before ? kLeasedBeforeBit : 0) |
                                (row.has_exceptions ? kExceptionsBit : 0) | (row.waits_for_release ? kWaitsBit : 0) |
                                (row.safety_held != 0 ? kSafetyBit : 0)));
  out.Varint(row.epoch);
  out.Varint(row.holds_seen);
  out.Varint(row.failed_epoch);
  out.Varint(row.failures);
  out.Raw(base::View(row.waits_until.boot));
  out.Varint(static_cast<uint64_t>(row.waits_until.since.micros));
  PutTime(out, row.not_before);
  PutTime(out, row.leased_until);
  out.String(row.last_error);
  out.Byte(static_cast<uint8_t>(row.again));
  out.Varint(row.first_epoch);
  PutTime(out, row.looked_at);
  out.Varint(row.erased_count);
  PutOptional(out, row.evidence);
  out.Varint(row.partial_epoch);
  out.Varint(row.out_epoch);
  PutTime(out, row.out_until);
  out.Varint(row.out_holds_seen);
  if (row.safety_held != 0) out.Varint(row.safety_held);
  return bytes;
}

bool DecodeTaskRow(std::string_view bytes, TaskRow* row) {
  *row = TaskRow{};
  Decoder in(bytes);
  if (in.Byte() != kTaskFormat) return false;
  const uint8_t bits = in.Byte();
  const uint8_t outcome = bits & (kSafetyBit - 1);
  if (outcome > static_cast<uint8_t>(domain::PurgeOutcome::kErasedBeforeHold)) return false;
  row->first_outcome = static_cast<domain::PurgeOutcome>(outcome);
  row->leased_before = (bits & kLeasedBeforeBit) != 0;
  row->has_exceptions = (bits & kExceptionsBit) != 0;
  row->waits_for_release = (bits & kWaitsBit) != 0;
  row->epoch = in.Varint();
  row->holds_seen = in.Varint();
  row->failed_epoch = in.Varint();
  const uint64_t failures = in.Varint();
  row->failures = static_cast<uint32_t>(failures);
  row->waits_until.boot = in.Array<16>();
  row->waits_until.since.micros = static_cast<int64_t>(in.Varint());
  row->not_before = GetTime(in);
  row->leased_until = GetTime(in);
  row->last_error = in.String(kMaxTextBytes);
  const uint8_t again = in.Byte();
  if (again > static_cast<uint8_t>(Again::kTakenBack)) return false;
  row->again = static_cast<Again>(again);
  row->first_epoch = in.Varint();
  row->looked_at = GetTime(in);
  row->erased_count = in.Varint();
  row->evidence = GetOptionalDigest(in);
  row->partial_epoch = in.Varint();
  row->out_epoch = in.Varint();
  row->out_until = GetTime(in);
  row->out_holds_seen = in.Varint();
  const uint64_t safety_held = (bits & kSafetyBit) != 0 ? in.Varint() : 0;
  if ((safety_held != 0) != ((bits & kSafetyBit) != 0) || safety_held > UINT32_MAX) return false;
  row->safety_held = static_cast<uint32_t>(safety_held);
  return in.Done() && failures <= UINT32_MAX;
}

absl::Status NoSuchTask() {
  return wire::MakeError(v1::ERROR_REASON_TASK_NOT_FOUND, "the system has no open task of that task_id");
}
absl::Status LeaseLost() {
  return wire::MakeError(
      v1::ERROR_REASON_LEASE_LOST,
      "the task was handed out again, given back or ended since: this lease's report counts no more");
}
absl::Status DamagedTask() { return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a purge task's row is damaged"); }

absl::StatusOr<TaskRow> LoadTask(const Core& core, const SystemRow& system, DeletionPlace place, std::string* bytes) {
  absl::StatusOr<std::string> stored =
      core.store.Get(place.partition, store::Table::kTask, TaskKey(system.number, place.number));
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

store::Precondition HoldSnapshot::AsPrecondition(const Core& core) const {
  std::optional<std::string> expected;
  if (facts.found) expected = EncodeSubjectRow(subject, facts.bytes);
  return {store::Table::kSubject, core.SubjectKey(subject), std::move(expected), seen};
}

absl::StatusOr<HoldSnapshot> LoadHoldSnapshot(const Core& core, base::SubjectHandle subject) {
  HoldSnapshot snapshot;
  snapshot.subject = subject;
  snapshot.seen = core.store.GetReadVersion(core.PartitionOf(subject));
  absl::StatusOr<StoredFacts> facts = LoadFacts(core, subject);
  if (!facts.ok()) return facts.status();
  snapshot.facts = *std::move(facts);
  absl::StatusOr<HoldsOfGroup> holds = LoadHoldsOfGroup(core, subject, snapshot.facts.facts);
  if (!holds.ok()) return holds.status();
  snapshot.holds = *std::move(holds);
  return snapshot;
}

base::Span HandOutFrom(const Core& core, const TaskRow& task) {
  if (task.waits_until.boot != base::BootId{}) {
    return core.time.IsOver(task.waits_until) ? base::Span{} : task.waits_until.since;
  }
  const base::Instant now = core.Now();
  return task.not_before > now ? core.time.After(task.not_before - now).since : base::Span{};
}

bool Waits(const TaskRow& task, uint64_t holds_changed, const Overlap& overlap) {
  return task.waits_for_release && IsHeldAsLeased(task, holds_changed, overlap);
}

bool IsHeldAsLeased(const TaskRow& task, uint64_t holds_changed, const Overlap& overlap) {
  return overlap.any && holds_changed == task.holds_seen && overlap.safety >= task.safety_held;
}

bool IsTakenBack(const TaskRow& task, const Overlap& overlap) {
  return overlap.any && overlap.latest > task.holds_seen;
}

}  // namespace consent::service
