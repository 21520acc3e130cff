#include "daemon/service/subject/check_eligibility.h"

#include <utility>

#include "daemon/service/rows/load_subject.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr int kMaxReads = 100;

}  // namespace

CheckEligibility::CheckEligibility(Core& core) : core_(core) {}

absl::StatusOr<CheckSession> CheckEligibility::Begin(std::string_view at_least) const {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING,
                           "the daemon is starting or stopping: no answer, which means no");
  }
  if (!at_least.empty()) {
    const std::optional<Revision> revision = core_.tokens.DecodeRevision(at_least);
    if (!revision.has_value() || revision->partition.number >= core_.store.partition_count() ||
        core_.store.GetHead(revision->partition).stamp.sequence < revision->sequence) {
      return wire::MakeError(v1::ERROR_REASON_REVISION_NOT_REACHED,
                             "at_least_revision is not a revision that this store has reached: it belongs to another "
                             "store, or this one was restored");
    }
  }
  return CheckSession{core_.policies.rules(), core_.Present()};
}

void CheckEligibility::Prefetch(const CheckItem& item) const { core_.index.Prefetch(item.subject); }

void CheckEligibility::PrefetchFacts(const CheckItem& item) const { core_.index.PrefetchFacts(item.subject); }

bool CheckEligibility::TryDecide(const CheckSession& session, const CheckItem& item, domain::Purpose purpose,
                                 const domain::Place& place, domain::Decision* decision) const {
  return DecideFromIndex(core_.index, core_.hasher, *session.rules, session.now, item, purpose, place, decision);
}

absl::Status CheckEligibility::Resolve(CheckItem* item) const {
  const absl::StatusOr<base::SubjectHandle> resolved = ResolveAlias(core_, item->subject);
  if (!resolved.ok() || *resolved == item->subject) return resolved.status();
  item->asked = std::exchange(item->subject, *resolved);
  return absl::OkStatus();
}

absl::StatusOr<domain::Decision> CheckEligibility::DecideFromStore(const CheckSession& session, const CheckItem& item,
                                                                   domain::Purpose purpose,
                                                                   const domain::Place& place) const {
  const domain::Question question{item.facts, purpose, place, session.now};
  const base::SubjectHandle asked = item.asked.IsSet() ? item.asked : item.subject;
  const base::RecordingHandle recording = core_.hasher.Recording(item.recording_id);
  absl::StatusOr<GroupFacts> group = LoadGroup(core_, asked, recording);
  for (int attempt = 0; attempt < kMaxReads; ++attempt) {
    if (!group.ok()) return group.status();
    if (!group->found) return domain::Decide(nullptr, {}, question, *session.rules);
    // A step of a join has come since it was resolved: the revision would be of another account.
    if (group->decided_by != item.subject) break;
    const bool alone = group->facts.beside.empty() && !HasRowsBeside(group->facts);
    if (alone) return domain::Decide(&group->facts, {}, question, *session.rules);
    absl::StatusOr<GroupFacts> again = LoadGroup(core_, asked, recording);
    if (again.ok() && again->bytes == group->bytes) {
      return domain::Decide(&group->facts, group->marks, question, *session.rules);
    }
    group = std::move(again);
  }
  return wire::MakeError(v1::ERROR_REASON_CONTENTION,
                         "the subject changed each time it was read: repeat the call; no answer, which means no");
}

}  // namespace consent::service
