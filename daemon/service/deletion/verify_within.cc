#include "daemon/service/deletion/verify_within.h"

#include <algorithm>

#include "daemon/service/deletion/deletion_hooks.h"
#include "daemon/service/rows/deletion_writes.h"
#include "daemon/service/rows/subject_rows.h"

namespace consent::service {
namespace {

constexpr size_t kMaxRequests = 64;
constexpr size_t kMaxRecordings = 2000;

bool IsUnverified(domain::DeletionState state) { return domain::IsOpen(state) && !domain::IsVerified(state); }

}  // namespace

absl::Status VerifyWithin::Load(const Core& core, const domain::SubjectFacts& facts, const domain::Selector& outer,
                                DeletionNumber outer_number) {
  found_.clear();
  recordings_.clear();
  looked_ = facts.has_unverified_deletions;
  more_ = others_left_ = false;
  if (!looked_) return absl::OkStatus();
  const absl::StatusOr<std::vector<DeletionPlace>> places = ListDeletionsOf(core, subject_, IsUnverified);
  if (!places.ok()) return places.status();
  for (const DeletionPlace& place : *places) {
    if (place.number == outer_number) continue;
    // "Everything" reaches to its receipt: what was asked for later, it does not verify.
    if (outer.kind == domain::SelectorKind::kEverything && outer_number != 0 && place.number > outer_number) {
      others_left_ = true;
      continue;
    }
    if (absl::Status s = Add(core, place, outer); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status VerifyWithin::Add(const Core& core, DeletionPlace place, const domain::Selector& outer) {
  Found found;
  found.place = place;
  absl::StatusOr<DeletionRow> row = LoadDeletion(core, place, &found.bytes);
  if (!row.ok()) return row.status();
  found.row = *std::move(row);
  const domain::DeletionRequest& request = found.row.request;
  if (!IsUnverified(request.state)) return absl::OkStatus();
  if (!domain::LiesWithin(request.selector, outer)) {
    others_left_ = true;
    return absl::OkStatus();
  }
  const std::vector<base::RecordingHandle>& named = request.selector.recordings;
  if (found_.size() >= kMaxRequests || (!found_.empty() && recordings_.size() + named.size() > kMaxRecordings)) {
    more_ = true;
    return absl::OkStatus();
  }
  for (const base::RecordingHandle recording : named) {
    auto marks = LoadMarks(core, subject_, recording);
    if (!marks.ok()) return marks.status();
    domain::StrengthenMarks(*marks, domain::TombstoneState::kVerified);
    recordings_.emplace_back(recording, *marks);
  }
  found_.push_back(std::move(found));
  return absl::OkStatus();
}

void VerifyWithin::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  for (const Found& found : found_) {
    preconditions.push_back({store::Table::kDeletion, DeletionKey(found.place.number), found.bytes});
  }
}

// The tombstones of the record stay as they are: all that they match, the outer one's matches too.
void VerifyWithin::Build(const Core& core, const SystemsSeen& systems, HookOutput& out) {
  if (looked_ && !more_ && !others_left_) out.transition.after.has_unverified_deletions = false;
  for (Found& found : found_) {
    DeletionRow next = found.row;
    (void)domain::Verify(next.request, out.moment, systems.active);
    next.request.changed = out.moment.sequence;
    out.writes.push_back({store::Table::kDeletion, DeletionKey(found.place.number), EncodeDeletionRow(next)});
    ListDeletion(core, found.place.number, next.request, out.writes);
    WriteTasks(next.request, found.place.number, out.writes);
  }
  for (const auto& [recording, marks] : recordings_) {
    out.writes.push_back(
        {store::Table::kRecording, core.RecordingKey(subject_, recording), EncodeMarksRow(subject_, recording, marks)});
  }
}

}  // namespace consent::service
