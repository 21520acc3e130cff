#include "daemon/service/check_eligibility.h"

#include "daemon/service/rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {

CheckEligibility::CheckEligibility(Context& context) : context_(context) {}

absl::StatusOr<CheckSession> CheckEligibility::Begin(std::string_view at_least) const {
  if (!context_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping: no answer, which means no");
  }
  if (!at_least.empty()) {
    Revision revision;
    if (!context_.tokens.Decode(at_least, &revision) || revision.partition.number >= context_.store.partition_count() ||
        context_.store.GetHead(revision.partition).stamp.sequence < revision.sequence) {
      return wire::MakeError(v1::ERROR_REASON_REVISION_NOT_REACHED,
                             "at_least_revision is not a revision that this store has reached: it belongs to another store, or this one was restored");
    }
  }
  return CheckSession{context_.policies.rules(), context_.Now()};
}

void CheckEligibility::Prefetch(const CheckItem& item) const { context_.IndexOf(item.subject).Prefetch(item.subject); }

void CheckEligibility::PrefetchFacts(const CheckItem& item) const { context_.IndexOf(item.subject).PrefetchFacts(item.subject); }

bool CheckEligibility::TryDecide(const CheckSession& session, const CheckItem& item, domain::Purpose purpose,
                                 const domain::Place& place, domain::Decision* decision) const {
  // Reused, because building and freeing the facts of a subject would cost as much as deciding on them.
  thread_local domain::SubjectFacts facts;
  const FactsIndex& index = context_.IndexOf(item.subject);
  const Found found = index.Find(item.subject, &facts);
  if (found == Found::kNotInIndex) return false;
  domain::RecordingMarks marks;
  const bool known = found == Found::kFound;
  if (known && facts.has_more_tombstones && facts.cover == nullptr) return false;
  if (known && facts.has_recording_marks &&
      index.FindMarks(item.subject, item.recording, &marks) == Found::kNotInIndex) {
    return false;
  }
  *decision = domain::Decide(known ? &facts : nullptr, marks, domain::Question{item.facts, purpose, place, session.now}, *session.rules);
  return true;
}

absl::StatusOr<domain::Decision> CheckEligibility::DecideFromStore(const CheckSession& session, const CheckItem& item,
                                                                   domain::Purpose purpose, const domain::Place& place) const {
  const absl::StatusOr<StoredFacts> stored = LoadFacts(context_, item.subject);
  if (!stored.ok()) return stored.status();
  domain::RecordingMarks marks;
  if (stored->found && stored->facts.has_recording_marks) {
    const auto loaded = LoadMarks(context_, item.subject, item.recording);
    if (!loaded.ok()) return loaded.status();
    marks = *loaded;
  }
  return domain::Decide(stored->found ? &stored->facts : nullptr, marks,
                        domain::Question{item.facts, purpose, place, session.now}, *session.rules);
}

}  // namespace consent::service
