#include "daemon/service/subject/verify_decisions.h"

#include <algorithm>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// The subject's change at a sequence.
struct Change {
  bool found = false;      // there is one, and it is the subject's
  bool is_erased = false;  // it was, and nothing of it is left
  ChangeRow row;
};

absl::StatusOr<Change> ReadChange(const Core& core, base::SubjectHandle subject, store::Sequence sequence) {
  Change change;
  const auto feed = core.store.FeedAt(core.PartitionOf(subject), sequence);
  if (absl::IsNotFound(feed.status())) return change;
  change.is_erased = absl::IsOutOfRange(feed.status()) || (feed.ok() && feed->erased);
  if (change.is_erased) return change;
  if (!feed.ok()) return StoreUnreadable();
  if (feed->event.subject != base::View(subject.bytes)) return change;
  if (!DecodeChangeRow(feed->event.body, &change.row)) return DamagedRow("a history row");
  change.found = true;
  return change;
}

// The subject's latest change at or below `head`, from `newest` backwards.
struct Latest {
  bool is_erased = false;
  store::Sequence sequence = 0;
};

absl::StatusOr<Latest> LatestUpTo(const Core& core, base::SubjectHandle subject, store::Sequence newest,
                                  store::Sequence head) {
  Latest latest{false, newest};
  while (latest.sequence > head) {
    const absl::StatusOr<Change> change = ReadChange(core, subject, latest.sequence);
    if (!change.ok()) return change.status();
    if (change->is_erased) return Latest{true, 0};
    if (!change->found || change->row.previous >= latest.sequence) return DamagedRow("a history row");
    latest.sequence = change->row.previous;
  }
  return latest;
}

// What was stored of the very recording, where the subject has not changed since the yes; else nothing is known of it.
absl::StatusOr<domain::RecordingState> MarksOf(const Core& core, const RecordedYes& yes,
                                               const domain::SubjectFacts& at_revision) {
  if (!at_revision.has_recording_marks) return domain::RecordingState{};
  const absl::StatusOr<domain::RecordingState> marks = LoadMarks(core, yes.subject, yes.recording);
  if (!marks.ok()) return marks.status();
  const absl::StatusOr<StoredFacts> now = LoadFacts(core, yes.subject);
  if (!now.ok()) return now.status();
  return now->facts.revision == yes.revision ? *marks : domain::RecordingState{};
}

}  // namespace

VerifyDecisions::RulesList VerifyDecisions::RulesOf(const RecordedCall& call) const {
  RulesList rules;
  for (auto& then : core_.policies.RulesWithin(call.now.latest - kSlack, call.now.latest)) {
    if (then->version == call.policy_version && then->hash == call.policy_hash) rules.push_back(std::move(then));
  }
  return rules;
}

absl::StatusOr<YesGrounds> VerifyDecisions::GroundsOf(const RecordedCall& call, const RulesList& rules,
                                                      const RecordedYes& yes) const {
  const YesGrounds unknown{Verdict::kUnknown, Untold::kUnknownRecord};
  const YesGrounds erased{Verdict::kNotCheckable, Untold::kHistoryErased};
  absl::StatusOr<StoredFacts> stored = LoadFacts(core_, yes.subject);
  if (!stored.ok()) return stored.status();
  if (!stored->found || yes.revision > stored->facts.revision) return unknown;
  YesGrounds grounds;
  bool is_late = false;
  if (stored->facts.revision == yes.revision) {
    grounds.facts = std::move(stored->facts);  // with the tombstones that a record does not hold
  } else {
    if (domain::IsForgotten(stored->facts)) return erased;
    const absl::StatusOr<Change> change = ReadChange(core_, yes.subject, yes.revision);
    if (!change.ok()) return change.status();
    if (change->is_erased) return erased;
    if (!change->found) return unknown;
    if (!domain::DecodeFacts(change->row.facts, &grounds.facts)) return DamagedRow("a history row");
    if (grounds.facts.has_more_tombstones) return YesGrounds{Verdict::kNotCheckable, Untold::kManyDeletions};
    const absl::StatusOr<Latest> latest = LatestUpTo(core_, yes.subject, stored->facts.revision, yes.head);
    if (!latest.ok()) return latest.status();
    if (latest->is_erased) return erased;
    is_late = yes.revision < latest->sequence;
  }
  if (rules.empty()) return YesGrounds{is_late ? Verdict::kLate : Verdict::kPolicyNotInForce, Untold::kNoPolicy};
  absl::StatusOr<domain::RecordingState> marks = MarksOf(core_, yes, grounds.facts);
  if (!marks.ok()) return marks.status();
  grounds.marks = *marks;
  const domain::Question question{yes.facts, call.purpose, call.place, call.now};
  const auto given_by = std::find_if(rules.begin(), rules.end(), [&](const auto& in_force) {
    const domain::Decision decision = domain::Decide(&grounds.facts, grounds.marks, question, *in_force);
    return decision.eligibility == domain::Eligibility::kEligible && decision.FirstReason() == yes.reason;
  });
  grounds.rules = given_by != rules.end() ? *given_by : rules.front();
  grounds.verdict = is_late ? Verdict::kLate : given_by != rules.end() ? Verdict::kConfirmed : Verdict::kNotGiven;
  return grounds;
}

absl::StatusOr<std::vector<Verdict>> VerifyDecisions::Run(const RecordedCall& call,
                                                          const std::vector<RecordedYes>& yeses) const {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  const RulesList rules = RulesOf(call);
  std::vector<Verdict> verdicts;
  verdicts.reserve(yeses.size());
  for (const RecordedYes& yes : yeses) {
    const absl::StatusOr<YesGrounds> grounds = GroundsOf(call, rules, yes);
    if (!grounds.ok()) return grounds.status();
    verdicts.push_back(grounds->verdict);
  }
  return verdicts;
}

}  // namespace consent::service
