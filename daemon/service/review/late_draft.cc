#include "daemon/service/review/late_draft.h"

#include <optional>
#include <utility>
#include <vector>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/deletion/missing_ids.h"
#include "daemon/service/deletion/new_deletion.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/selector.h"

namespace consent::service {
namespace {

// The ids as the tool named them, whatever the account was joined into since: data systems know the draft by these.
// Nothing: the account's key is gone, or the row lies in a copy under new keys.
absl::StatusOr<std::optional<Payload>> IdsOf(const Core& core, const GrantRow& row) {
  const auto key = PayloadKeyOf(core, row.subject);
  if (wire::DetailOf(key.status()).reason == v1::ERROR_REASON_STORE_UNREADABLE) return key.status();
  if (!key.ok()) return std::optional<Payload>();
  absl::StatusOr<Payload> ids = OpenPayload(*key, row.sealed, row.subject);
  return ids.ok() ? std::optional<Payload>(*std::move(ids)) : std::nullopt;
}

}  // namespace

absl::StatusOr<store::Outcome> PurgeLateDraft(Core& core, const GrantUse& use, const base::Digest& digest,
                                              const Caller& caller) {
  GrantRow row = use.stored.row;
  const absl::StatusOr<std::optional<Payload>> ids = IdsOf(core, row);
  if (!ids.ok()) return ids.status();
  if (!ids->has_value()) return store::Outcome::kCommitted;
  domain::Selector selector;
  selector.kind = domain::SelectorKind::kDraft;
  selector.draft = {row.recording, digest};
  const DeletionPayload told{(*ids)->account_id, wire::SerialiseDraft((*ids)->recording_id, digest)};

  std::vector<store::Precondition> preconditions = use.grounds.preconditions;
  preconditions.push_back({store::Table::kReview, use.key, use.stored.bytes});
  SystemsSeen systems;
  std::optional<OwnDeletion> made;
  MissingIds missing(row.subject);
  if (row.grant.draft_was_late) {
    const absl::Status loaded = missing.Load(core, [&](const domain::DeletionRequest& request) {
      return request.selector == selector ? std::optional<DeletionPayload>(told) : std::nullopt;
    });
    if (!loaded.ok()) return loaded;
    if (missing.empty()) return store::Outcome::kCommitted;
    missing.AddPreconditions(preconditions);
  } else {
    absl::StatusOr<SystemsSeen> seen = LoadSystems(core, use.partition);
    if (!seen.ok()) return seen.status();
    systems = *std::move(seen);
    if (systems.drafts.empty()) return store::Outcome::kCommitted;
    made = MakeOwnDeletion(core, row.subject, domain::DeletionCause::kLateDraft, selector, told);
    preconditions.push_back(systems.AsPrecondition());
    preconditions.push_back(IdIsFree(made->request.id));
    row.grant.draft_was_late = true;
  }
  const domain::Region region = use.grounds.group.facts.region;
  return CommitNow(core, use.partition, preconditions,
                   [&](const store::Stamp& stamp) {
                     store::Change change;
                     if (made.has_value()) {
                       const domain::Moment moment{stamp.time, stamp.sequence, core.Present(), false};
                       WriteOwnDeletion(core, *made, 0, moment, region, systems, change.writes);
                       change.writes.push_back({store::Table::kReview, use.key, EncodeGrantRow(row)});
                     }
                     missing.Build(core, change.writes);
                     change.event =
                         PlainEvent(ChangeKind::kReviewChanged, use.grounds.rules->version, {}, caller.identity);
                     return change;
                   })
      .outcome;
}

}  // namespace consent::service
