#include "daemon/service/state/decide_from_index.h"

namespace consent::service {

bool HasRowsBeside(const domain::SubjectFacts& facts) { return facts.has_recording_marks || facts.has_more_tombstones; }

bool DecideFromIndex(const FactsIndex& index, const base::IdHasher& hasher, const domain::Rules& rules,
                     const base::Now& now, const CheckItem& item, domain::Purpose purpose, const domain::Place& place,
                     domain::Decision* decision) {
  // Reused, because building and freeing the facts of a subject would cost as much as deciding on them.
  thread_local domain::SubjectFacts facts;
  const Found found = index.Find(item.subject, &facts);
  if (found == Found::kNotInIndex) return false;
  domain::RecordingState marks;
  const bool known = found == Found::kFound;
  if (known && (facts.join != domain::JoinState::kNone || !facts.joined_from.empty())) return false;
  if (known && HasRowsBeside(facts)) {
    if (facts.has_more_tombstones && facts.cover == nullptr) return false;
    if (facts.has_recording_marks) {
      const base::RecordingHandle recording = hasher.Recording(item.recording_id);
      if (index.FindMarks(item.subject, recording, &marks) == Found::kNotInIndex) return false;
    }
    if (!index.HasRevision(item.subject, facts.revision)) return false;
  }
  *decision = domain::Decide(known ? &facts : nullptr, marks, domain::Question{item.facts, purpose, place, now}, rules);
  return true;
}

}  // namespace consent::service
