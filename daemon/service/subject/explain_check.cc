#include "daemon/service/subject/explain_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "daemon/service/rows/load_subject.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr int kMostReads = 100;

absl::Status NotReady() { return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping"); }

Explained Cannot(Basis basis, const base::Now& now, Untold why) {
  Explained explained;
  explained.basis = basis;
  explained.now = now;
  explained.untold = {why};
  return explained;
}

// What is given could turn by what is not known: only what nothing turns is still an answer.
void Withhold(bool keeps_eligibility, bool keeps_disposition, domain::Explanation* explanation) {
  domain::Decision& decision = explanation->decision;
  if (!keeps_disposition) decision.disposition = domain::Disposition::kNotAnswered;
  if (keeps_eligibility) return;
  decision.eligibility = domain::Eligibility::kNotAnswered;
  decision.reasons.Remove({domain::Reason::kConsent, domain::Reason::kDefault});
  for (domain::RowFact& fact : explanation->rows) {
    if (fact.row != domain::Row::kE12 || !fact.matched) continue;
    fact.matched = false;
    fact.note = domain::RowNote::kStands;
  }
}

// What was stored of the recording itself.
struct PastMarks {
  domain::RecordingState sure;
  uint8_t doubtful_flags = 0;  // reported, and perhaps later
};

// Under all accounts that were joined with each other.
absl::StatusOr<PastMarks> MarksThen(const Core& core, const PastGroup& group, base::RecordingHandle recording,
                                    base::Instant at, const ExplainedOrders& orders) {
  PastMarks marks;
  uint8_t sure = 0;
  base::Instant safety_since;  // what a report of SAFETY holds is known of every time
  for (size_t i = 0; i < group.accounts.size(); ++i) {
    const PastFacts& past = group.past[i];
    if (!past.facts.has_recording_marks) continue;
    const absl::StatusOr<domain::RecordingState> now = LoadMarks(core, group.accounts[i], recording);
    if (!now.ok()) return now.status();
    marks.sure = orders.Marks();
    marks.doubtful_flags = static_cast<uint8_t>(marks.doubtful_flags | (now->flags & past.flags_since));
    sure = static_cast<uint8_t>(sure | (now->flags & ~past.flags_since));
    if (now->safety_since <= at) safety_since = std::max(safety_since, now->safety_since);
  }
  marks.sure.flags = sure;
  marks.sure.safety_since = safety_since;
  marks.doubtful_flags = static_cast<uint8_t>(marks.doubtful_flags & ~sure);
  return marks;
}

}  // namespace

// By the record as it is: now, and at a later time if nothing changes.
absl::StatusOr<Explained> ExplainCheck::AsOfRecord(const ExplainQuery& query, Basis basis, const base::Now& now) const {
  Explained explained;
  explained.basis = basis;
  explained.has_answer = true;
  explained.now = now;
  explained.rules = core_.policies.rules();
  const base::SubjectHandle asked = query.item.subject;
  const base::RecordingHandle recording = core_.hasher.Recording(query.item.recording_id);
  const domain::Question question{query.item.facts, query.purpose, query.place, now};
  absl::StatusOr<GroupFacts> stored = LoadGroup(core_, asked, recording);
  for (int attempt = 0; attempt < kMostReads; ++attempt) {
    if (!stored.ok()) return stored.status();
    if (!stored->found) {
      explained.explanation = domain::Explain(nullptr, {}, question, *explained.rules, {}, {});
      return explained;
    }
    const base::SubjectHandle subject = stored->decided_by;
    absl::StatusOr<ExplainedOrders> orders = LoadOrders(core_, stored->accounts, recording, base::Instant{});
    if (!orders.ok()) return orders.status();
    absl::StatusOr<GroupFacts> again = LoadGroup(core_, asked, recording);
    if (again.ok() && again->bytes == stored->bytes) {
      explained.revision = Revision{core_.PartitionOf(subject), stored->facts.revision};
      explained.explanation = domain::Explain(&stored->facts, stored->marks, question, *explained.rules,
                                              orders->Tombstones(), orders->Holds());
      orders->Take(explained.explanation);
      if (absl::Status tasks = LoadTasks(core_, subject, true, &*orders); !tasks.ok()) return tasks;
      explained.orders = *std::move(orders);
      return explained;
    }
    stored = std::move(again);
  }
  return wire::MakeError(v1::ERROR_REASON_CONTENTION,
                         "the subject changed each time it was read: repeat the call; no answer, which means no");
}

absl::StatusOr<Explained> ExplainCheck::AsOfPast(const ExplainQuery& query) const {
  const base::RecordingHandle recording = core_.hasher.Recording(query.item.recording_id);
  Explained explained;
  explained.basis = Basis::kPast;
  explained.now = base::Now::Sure(query.at);
  explained.rules = core_.policies.RulesAt(query.at);
  if (explained.rules == nullptr) return Cannot(Basis::kPast, explained.now, Untold::kNoPolicy);
  const domain::Question question{query.item.facts, query.purpose, query.place, explained.now};
  const absl::StatusOr<PastGroup> group = GroupAt(core_, query.item.subject, query.at);
  if (!group.ok()) return group.status();
  const PastFacts& past = group->past.front();
  const base::SubjectHandle subject = group->accounts.front();
  if (past.untold != Untold::kNone) return Cannot(Basis::kPast, explained.now, past.untold);
  explained.has_answer = true;
  if (!past.found) {
    explained.explanation = domain::Explain(nullptr, {}, question, *explained.rules, {}, {});
    return explained;
  }
  explained.revision = Revision{core_.PartitionOf(subject), past.facts.revision};
  explained.changed_at = past.changed_at;
  absl::StatusOr<ExplainedOrders> orders = LoadOrders(core_, group->accounts, recording, query.at);
  if (!orders.ok()) return orders.status();
  const absl::StatusOr<PastMarks> marked = MarksThen(core_, *group, recording, query.at, *orders);
  if (!marked.ok()) return marked.status();
  domain::RecordingState marks = marked->sure;
  explained.explanation =
      domain::Explain(&past.facts, marks, question, *explained.rules, orders->Tombstones(), orders->Holds());
  const domain::Decision decision = explained.explanation.decision;
  if (marked->doubtful_flags != 0) {
    explained.untold.push_back(Untold::kFlags);
    marks.flags = static_cast<uint8_t>(marks.flags | marked->doubtful_flags);
    const domain::Decision flagged = domain::Decide(&past.facts, marks, question, *explained.rules);
    Withhold(flagged.eligibility == decision.eligibility, flagged.disposition == decision.disposition,
             &explained.explanation);
  }
  const bool has_marks = std::any_of(group->past.begin(), group->past.end(),
                                     [](const PastFacts& one) { return one.facts.has_recording_marks; });
  if (has_marks && !orders->all_seen) {
    explained.untold.push_back(Untold::kRequests);
    Withhold(decision.eligibility != domain::Eligibility::kEligible, decision.disposition == domain::Disposition::kHold,
             &explained.explanation);
  }
  orders->Take(explained.explanation);
  if (absl::Status tasks = LoadTasks(core_, subject, false, &*orders); !tasks.ok()) return tasks;
  explained.orders = *std::move(orders);
  return explained;
}

absl::StatusOr<Explained> ExplainCheck::Run(const ExplainQuery& query) const {
  if (!core_.ready.load(std::memory_order_acquire)) return NotReady();
  const base::Now now = core_.Present();
  if (!query.at.IsSet()) return AsOfRecord(query, Basis::kNow, now);
  if (query.at > now.latest) return AsOfRecord(query, Basis::kFuture, base::Now::Sure(query.at));
  return AsOfPast(query);
}

absl::StatusOr<Explained> ExplainCheck::RunRecorded(const RecordedCall& call, const RecordedYes& yes) const {
  if (!core_.ready.load(std::memory_order_acquire)) return NotReady();
  absl::StatusOr<YesGrounds> grounds = verify_.GroundsOf(call, yes);
  if (!grounds.ok()) return grounds.status();
  if (grounds->untold != Untold::kNone) {
    Explained cannot = Cannot(Basis::kRecorded, call.now, grounds->untold);
    cannot.verdict = grounds->verdict;
    return cannot;
  }
  Explained explained;
  explained.basis = Basis::kRecorded;
  explained.has_answer = true;
  explained.verdict = grounds->verdict;
  explained.now = call.now;
  explained.rules = grounds->rules;
  explained.revision = Revision{core_.PartitionOf(yes.subject), yes.revision};
  absl::StatusOr<ExplainedOrders> orders = LoadOrders(core_, {yes.subject}, yes.recording, call.now.latest);
  if (!orders.ok()) return orders.status();
  const domain::Question question{yes.facts, call.purpose, call.place, call.now};
  explained.explanation = domain::Explain(&grounds->facts, grounds->marks, question, *explained.rules,
                                          orders->Tombstones(), orders->Holds());
  orders->Take(explained.explanation);
  if (absl::Status tasks = LoadTasks(core_, yes.subject, false, &*orders); !tasks.ok()) return tasks;
  explained.orders = *std::move(orders);
  return explained;
}

}  // namespace consent::service
