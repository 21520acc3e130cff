#include "daemon/service/deletion/forgiven_copies.h"

#include <utility>

#include "daemon/service/deletion/deletion_hooks.h"
#include "daemon/service/rows/deletion_writes.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/selector.h"

namespace consent::service {
namespace {

constexpr const char* kReason = "consented to again under a notice that covers the past";

}  // namespace

absl::Status ForgivenCopies::Load(const Core& core, const domain::Transition& trial) {
  found_.clear();
  const std::vector<domain::Forgiven> forgiven = domain::ForgivenBy(trial);
  if (forgiven.empty()) return absl::OkStatus();
  const auto places = ListDeletionsOf(core, subject_, domain::IsOpen);
  if (!places.ok()) return places.status();
  for (const DeletionPlace& place : *places) {
    Found found;
    found.place = place;
    absl::StatusOr<DeletionRow> row = LoadDeletion(core, place, &found.bytes);
    if (!row.ok()) return row.status();
    found.row = *std::move(row);
    const domain::DeletionRequest& request = found.row.request;
    if (!domain::IsOpen(request.state) || request.cause != domain::DeletionCause::kWithdrawal ||
        domain::AllEnded(request)) {
      continue;
    }
    found.owed = OwedOf(request, forgiven);
    if (found.owed == request.selector.copies_of) continue;
    if (absl::Status s = found.tasks.Load(core, place, request); !s.ok()) return s;
    if (!found.owed.Empty()) {
      if (absl::Status s = Narrow(core, &found); !s.ok()) return s;
    }
    found_.push_back(std::move(found));
  }
  return absl::OkStatus();
}

domain::PurposeSet ForgivenCopies::OwedOf(const domain::DeletionRequest& request,
                                          const std::vector<domain::Forgiven>& forgiven) {
  domain::PurposeSet owed = request.selector.copies_of;
  for (const domain::Forgiven& one : forgiven) {
    if (one.scope == request.selector.scope) owed.bits = static_cast<uint16_t>(owed.bits & ~one.copies_of.bits);
  }
  return owed;
}

absl::Status ForgivenCopies::Narrow(const Core& core, Found* found) const {
  if (found->row.request.needs_ids) return absl::OkStatus();  // they come with what it selects then
  absl::StatusOr<DeletionPayload> payload = OpenDeletion(core, found->place, found->row);
  if (!payload.ok()) return payload.status();
  const auto share =
      core.store.Get(found->place.partition, store::Table::kKeyShare, DeletionShareKey(core, found->place));
  if (!share.ok()) return StoreUnreadable();
  const absl::StatusOr<base::Digest> key = core.shares.OpenShare(subject_, *share);
  if (!key.ok()) return DamagedRow("the key of a deletion request");
  payload->selector = wire::WithPurposes(payload->selector, found->owed);
  base::Digest unused{};
  found->sealed = SealDeletion(*key, *payload, subject_, core.random, &unused);
  return absl::OkStatus();
}

void ForgivenCopies::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  for (const Found& found : found_) {
    preconditions.push_back({store::Table::kDeletion, DeletionKey(found.place.number), found.bytes});
    found.tasks.AddPreconditions(preconditions);
  }
}

void ForgivenCopies::Build(const Core& core, const store::Stamp& stamp, HookOutput& out) {
  std::vector<store::Write>& writes = out.writes;
  // What was allowed when it was tried may not be any more, as where the clock has become doubtful.
  const std::vector<domain::Forgiven> forgiven = domain::ForgivenBy(out.transition);
  for (Found& found : found_) {
    if (OwedOf(found.row.request, forgiven) != found.owed) continue;
    DeletionRow next = found.row;
    domain::DeletionRequest& request = next.request;
    request.changed = stamp.sequence;
    if (!found.owed.Empty()) {
      request.selector.copies_of = found.owed;
      next.sealed = found.sealed;
      found.tasks.TakeBack(writes);
    } else if (!found.tasks.ErasedAny() && domain::Cancel(request, out.moment) == domain::StepRefusal::kNone) {
      CloseDeletion(core, found.place, found.row.request, stamp, next, writes);
    } else {
      found.tasks.EndParts(kReason, domain::ExemptReason::kAllowedAgain, stamp.time, &request);
      found.tasks.Delete(writes);
      next.sealed.clear();
      BeginErasure(core, found.place, stamp, writes);
    }
    writes.push_back({store::Table::kDeletion, DeletionKey(found.place.number), EncodeDeletionRow(next)});
    ListDeletion(core, found.place.number, request, writes);
  }
}

}  // namespace consent::service
