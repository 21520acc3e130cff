#include "daemon/service/deletion/missing_ids.h"

#include <algorithm>
#include <optional>

namespace consent::service {
namespace {

constexpr size_t kMostAtOnce = 64;  // the rest with the next time that it is sent

bool SelectsTheSame(const domain::Selector& one, const domain::Selector& other) {
  const bool has_own_times = one.kind == domain::SelectorKind::kTimeRange;
  return one.kind == other.kind && one.scope == other.scope && one.recordings == other.recordings &&
         one.copies_of == other.copies_of && (!has_own_times || one.captured == other.captured);
}

}  // namespace

absl::Status MissingIds::Load(const Core& core, const PayloadOf& ids) {
  found_.clear();
  if (core.deletions.needing_ids() == 0) return absl::OkStatus();
  for (const DeletionPlace& place : core.deletions.OpenOf(subject_)) {
    if (found_.size() == kMostAtOnce) break;
    Found found;
    found.place = place;
    absl::StatusOr<DeletionRow> row = LoadDeletion(core, place, &found.bytes);
    if (!row.ok()) return row.status();
    if (!row->request.needs_ids) continue;
    const std::optional<DeletionPayload> payload = ids(row->request);
    if (!payload.has_value()) continue;
    found.row = *std::move(row);
    base::PayloadKey key = core.shares.NewPayloadKey(subject_, core.random);
    base::Digest unused{};
    found.share = std::move(key.share);
    found.row.sealed = SealDeletion(key.key, *payload, subject_, core.random, &unused);
    found.row.request.needs_ids = false;
    found_.push_back(std::move(found));
  }
  return absl::OkStatus();
}

absl::Status MissingIds::LoadAsked(const Core& core, const domain::Selector& selector, const DeletionPayload& payload) {
  return Load(core, [&](const domain::DeletionRequest& request) -> std::optional<DeletionPayload> {
    const bool is_it = request.cause == domain::DeletionCause::kRequested && SelectsTheSame(request.selector, selector);
    return is_it ? std::optional<DeletionPayload>(payload) : std::nullopt;
  });
}

void MissingIds::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  for (const Found& found : found_) {
    preconditions.push_back({store::Table::kDeletion, DeletionKey(found.place.number), found.bytes});
  }
}

// A row that something else of the commit writes too (it is verified, or its copies are allowed again) is taken as that
// leaves it: one that ended needs no ids, and one that selects less now gets them the next time.
void MissingIds::Build(const Core& core, std::vector<store::Write>& writes) const {
  for (const Found& found : found_) {
    DeletionRow next = found.row;
    const std::string key = DeletionKey(found.place.number);
    const auto written = std::find_if(writes.begin(), writes.end(), [&](const store::Write& write) {
      return write.table == store::Table::kDeletion && write.key == key;
    });
    if (written != writes.end()) {
      const bool is_read = written->value.has_value() && DecodeDeletionRow(*written->value, &next);
      if (!is_read || !next.request.needs_ids || next.request.selector != found.row.request.selector) continue;
      next.sealed = found.row.sealed;
      written->value = EncodeDeletionRow(next);
    } else {
      writes.push_back({store::Table::kDeletion, key, EncodeDeletionRow(next)});
    }
    writes.push_back({store::Table::kKeyShare, DeletionShareKey(core, found.place), found.share});
  }
}

}  // namespace consent::service
