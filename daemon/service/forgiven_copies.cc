#include "daemon/service/forgiven_copies.h"

#include <algorithm>
#include <utility>

#include "daemon/service/deletion_parts.h"
#include "daemon/service/erasures.h"
#include "daemon/service/rows.h"
#include "daemon/service/task_rows.h"
#include "daemon/wire/selector.h"

namespace consent::service {
namespace {

constexpr const char* kReason = "consented to again under a notice that covers the past";

}  // namespace

absl::Status OpenTasksOf::Load(const Context& context, DeletionPlace place, const domain::DeletionRequest& request) {
  place_ = place;
  tasks_.clear();
  for (const domain::SystemPart& part : request.parts) {
    if (part.outcome != domain::PurgeOutcome::kOpen) continue;
    SystemRow system;
    system.number = part.system;
    One one{part.system, {}, {}};
    absl::StatusOr<TaskRow> row = LoadTask(context, system, place, &one.bytes);
    if (absl::IsNotFound(row.status())) continue;  // it ended meanwhile: the request's row is another then
    if (!row.ok()) return row.status();
    one.row = *std::move(row);
    tasks_.push_back(std::move(one));
  }
  return absl::OkStatus();
}

void OpenTasksOf::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  for (const One& one : tasks_) preconditions.push_back({store::Table::kTask, TaskKey(one.system, place_.number), one.bytes});
}

void OpenTasksOf::Delete(std::vector<store::Write>& writes) const {
  for (const One& one : tasks_) writes.push_back({store::Table::kTask, TaskKey(one.system, place_.number), std::nullopt});
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
  return std::any_of(tasks_.begin(), tasks_.end(), [](const One& one) {
    return one.row.erased_count != 0 || one.row.first_outcome == domain::PurgeOutcome::kAcknowledged;
  });
}

void OpenTasksOf::EndParts(const std::string& reason, base::Instant now, domain::DeletionRequest* request) const {
  for (const One& one : tasks_) {
    const bool erased = one.row.erased_count != 0 || one.row.first_outcome == domain::PurgeOutcome::kAcknowledged;
    domain::SystemPart part;
    part.system = one.system;
    // The report of a lease that is out does not count any more.
    part.epoch = one.row.epoch + (one.row.leased_until.IsSet() ? 1 : 0);
    part.outcome = erased ? domain::PurgeOutcome::kAcknowledged : domain::PurgeOutcome::kExempt;
    part.reason = reason;
    part.erased_count = one.row.erased_count;
    part.evidence = one.row.evidence;
    part.leased_before = one.row.leased_before || one.row.leased_until.IsSet();
    domain::EndPart(*request, part, now);
  }
}

void OpenTasksOf::TellDeleted(TaskBoard& board) const {
  for (const One& one : tasks_) {
    board.Count(one.system, -1);
    if (one.row.failures >= kStuckAfter) board.CountStuck(one.system, -1);
  }
}

void OpenTasksOf::TellTakenBack(TaskBoard& board) const {
  for (const One& one : tasks_) {
    if (one.row.leased_until.IsSet()) board.Add(one.system, place_, base::Span{});
  }
}

absl::Status ForgivenCopies::Load(const Context& context, const domain::Transition& trial) {
  found_.clear();
  const std::vector<domain::Forgiven> forgiven = domain::ForgivenBy(trial);
  if (forgiven.empty()) return absl::OkStatus();
  const auto places = ListDeletionsOf(context, subject_, domain::IsOpen);
  if (!places.ok()) return places.status();
  for (const DeletionPlace& place : *places) {
    Found found;
    found.place = place;
    absl::StatusOr<DeletionRow> row = LoadDeletion(context, place, &found.bytes);
    if (!row.ok()) return row.status();
    found.row = *std::move(row);
    const domain::DeletionRequest& request = found.row.request;
    if (!domain::IsOpen(request.state) || request.cause != domain::DeletionCause::kWithdrawal || domain::AllEnded(request)) continue;
    found.owed = request.selector.copies_of;
    for (const domain::Forgiven& one : forgiven) {
      if (one.scope == request.selector.scope) found.owed.bits = static_cast<uint8_t>(found.owed.bits & ~one.copies_of.bits);
    }
    if (found.owed == request.selector.copies_of) continue;
    if (absl::Status s = found.tasks.Load(context, place, request); !s.ok()) return s;
    if (!found.owed.Empty()) {
      if (absl::Status s = Narrow(context, &found); !s.ok()) return s;
    }
    found_.push_back(std::move(found));
  }
  return absl::OkStatus();
}

absl::Status ForgivenCopies::Narrow(const Context& context, Found* found) const {
  absl::StatusOr<DeletionPayload> payload = OpenDeletion(context, found->place, found->row);
  if (!payload.ok()) return payload.status();
  const auto share = context.store.Get(found->place.partition, store::Table::kKeyShare, DeletionShareKey(context, found->place));
  if (!share.ok()) return StoreUnreadable();
  payload->selector = wire::WithPurposes(payload->selector, found->owed);
  base::Digest unused{};
  found->sealed = SealDeletion(context.keys.PayloadKey(subject_, *share), *payload, subject_, context.random, &unused);
  return absl::OkStatus();
}

void ForgivenCopies::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  for (const Found& found : found_) {
    preconditions.push_back({store::Table::kDeletion, DeletionKey(found.place.number), found.bytes});
    found.tasks.AddPreconditions(preconditions);
  }
}

void ForgivenCopies::Build(const Context& context, const store::Stamp& stamp, PartOutput& out) {
  std::vector<store::Write>& writes = out.writes;
  for (Found& found : found_) {
    DeletionRow next = found.row;
    domain::DeletionRequest& request = next.request;
    request.changed = stamp.sequence;
    if (!found.owed.Empty()) {
      request.selector.copies_of = found.owed;
      next.sealed = found.sealed;
      found.tasks.TakeBack(writes);
    } else if (!found.tasks.ErasedAny() && domain::Cancel(request, out.moment) == domain::StepRefusal::kNone) {
      CloseDeletion(context, found.place, found.row.request, stamp, next, writes);
    } else {
      found.tasks.EndParts(kReason, stamp.time, &request);
      found.tasks.Delete(writes);
      next.sealed.clear();
      BeginErasure(context, found.place, stamp, writes);
    }
    writes.push_back({store::Table::kDeletion, DeletionKey(found.place.number), EncodeDeletionRow(next)});
    ListDeletion(context, found.place.number, request, writes);
    found.made = std::move(request);
  }
}

void ForgivenCopies::Publish(Context& context, TaskBoard& board) const {
  for (const Found& found : found_) {
    context.deletions.Replace(found.place, &found.row.request, found.made);
    if (found.owed.Empty()) found.tasks.TellDeleted(board);
  }
}

void ForgivenCopies::Wake(TaskBoard& board) const {
  for (const Found& found : found_) {
    if (!found.owed.Empty()) found.tasks.TellTakenBack(board);
  }
}

}  // namespace consent::service
