// What an explanation has beside the decision: how facts are noted and sorted, and the rows that only it speaks of.
#include "daemon/domain/explain.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "daemon/domain/evaluation.h"

namespace consent::domain {
namespace internal {

bool Trace::HasRoomFor(const RowFact& fact) const {
  if (facts_.size() < kMaxRowFacts) return true;
  return fact.matched && std::none_of(facts_.begin(), facts_.end(), [&fact](const RowFact& other) {
           return other.matched && other.reason == fact.reason;
         });
}

void Trace::Note(RowFact fact) {
  if (is_cause_) {
    if (!fact.matched) return;
    fact.row = Row::kE7;
    fact.matched = false;
    fact.note = RowNote::kCause;
  }
  if (HasRoomFor(fact)) {
    facts_.push_back(fact);
  } else {
    cut_ = true;
  }
}

bool Trace::Denies(const ScopeRef& scope) const {
  return std::any_of(facts_.begin(), facts_.end(), [&scope](const RowFact& fact) {
    return fact.matched && fact.row >= Row::kE4 && fact.row <= Row::kE9 && fact.scope == scope;
  });
}

void Trace::KeepOrdersAlone(RowNote why) {
  const size_t count = facts_.size();
  for (size_t i = 0; i < count; ++i) {
    RowFact& fact = facts_[i];
    const bool purges = fact.matched && fact.row >= Row::kR3 && fact.row <= Row::kR5;
    if (!purges) continue;
    RowFact denies = fact;
    fact.matched = false;
    fact.note = why;
    // These two deny by themselves.
    if (fact.reason != Reason::kRetentionExpired && fact.reason != Reason::kChildInactive) continue;
    denies.row = Row::kE1;
    facts_.push_back(denies);
  }
}

std::vector<RowFact> Trace::TakeFacts(bool asked, bool* cut) {
  if (!asked) std::erase_if(facts_, [](const RowFact& fact) { return fact.row >= Row::kE0; });
  const auto place = [](const RowFact& fact) {
    return std::tuple(fact.row, !fact.matched, kReasonRanks[static_cast<size_t>(fact.reason)]);
  };
  std::stable_sort(facts_.begin(), facts_.end(),
                   [&](const RowFact& a, const RowFact& b) { return place(a) < place(b); });
  *cut = cut_;
  return std::move(facts_);
}

RowNote NoteOf(Match match) {
  switch (match) {
    case Match::kOtherScope:
      return RowNote::kOtherScope;
    case Match::kOutsideTimes:
      return RowNote::kOutsideTimes;
    case Match::kOnlyCopies:
      return RowNote::kOnlyCopies;
    case Match::kPerhaps:
      return RowNote::kPerhaps;
    case Match::kSurely:
      break;
  }
  return RowNote::kNone;
}

Row RowOf(TombstoneState state) { return state == TombstoneState::kVerified ? Row::kR2 : Row::kE1; }

Reason ReasonOf(TombstoneState state) {
  switch (state) {
    case TombstoneState::kPending:
      return Reason::kDeletionPending;
    case TombstoneState::kDenied:
      return Reason::kDeletionDenied;
    case TombstoneState::kVerified:
      break;
  }
  return Reason::kDeleted;
}

void SetScope(const ScopeFacts& scope, RowFact* fact) { fact->scope = ScopeRef{scope.kind, scope.handle}; }

void SetTimes(const ScopeRef& scope, const Interval& captured, RowFact* fact) {
  fact->scope = scope;
  fact->from = captured.from;
  if (captured.to != base::kEndOfTime) fact->to = captured.to;
}

void SetTombstone(const Tombstone& tombstone, Match match, RowFact* fact) {
  SetTimes(ScopeRef{tombstone.scope, tombstone.handle},
           Interval{tombstone.captured.from(), tombstone.captured.latest()}, fact);
  if (match == Match::kPerhaps && fact->matched) fact->note = RowNote::kPerhaps;
}

void SetRetention(const ScopeFacts& scope, const Interval& captured, RowFact* fact) {
  SetScope(scope, fact);
  fact->retention = scope.retention;
  const bool is_known = captured.from.IsSet() && captured.to.IsSet() && captured.to != base::kEndOfTime;
  if (scope.retention.kind == RetentionKind::kMonths && is_known) {
    fact->at = base::LatestAfterMonths(captured.from, captured.to, scope.retention.months);
  }
  if (!fact->matched) return;
  const bool by_floor = scope.purge_floor.IsSet() && is_known && captured.from <= scope.purge_floor;
  if (by_floor) {
    fact->note = RowNote::kEarlierRetention;
    fact->at = scope.purge_floor;
  } else if (fact->row == Row::kE1) {
    fact->note = RowNote::kPerhaps;
  }
}

void SetChoice(const ScopeFacts& scope, Purpose purpose, const PurposeChoice& choice, RowFact* fact) {
  SetScope(scope, fact);
  fact->purpose = purpose;
  fact->choice = choice.choice;
  fact->by_guardian = choice.by_guardian;
  fact->imported = choice.imported;
  fact->since = choice.since;
  fact->renewed = choice.RenewedAt();
  fact->notice = choice.choice == Choice::kGiven ? choice.notice : NoticeNumber{0};
  if (choice.refused_from.IsSet()) {
    fact->from = choice.refused_from;
    fact->to = choice.since;
  }
}

template <typename TraceT>
void Evaluation<TraceT>::SetUnset(const ScopeFacts& scope, Purpose purpose, const SuspensionState& suspension,
                                  RowFact* fact) const {
  SetChoice(scope, purpose, PurposeChoice{}, fact);
  if (regime_.opt_in) return;
  if (suspension.ever) {
    fact->note = RowNote::kBeforeSuspensionEnd;
    fact->at = suspension.last_end;
  } else if (DefaultDenied(purpose)) {
    fact->note = RowNote::kDefaultDenied;
    fact->at = subject_->default_denied;
  } else {
    fact->note = RowNote::kBeforeDefault;
    fact->at = DefaultFrom(scope, purpose);
  }
}

template <typename TraceT>
Instant Evaluation<TraceT>::EndOf(const Named& named, const PurposeChoice& consent) const {
  const Instant by_lifetime = ConsentEnd(consent, rules_);
  if (by_lifetime <= now_.latest || !named.is_profile) return by_lifetime;
  return consent.by_guardian ? named.guardian_until : named.adult_from;
}

template <typename TraceT>
void Evaluation<TraceT>::SetSuspension(Purpose purpose, RowFact* fact) const {
  fact->purpose = purpose;
  for (const Suspension& suspension : rules_.suspensions) {
    const bool counts =
        suspension.active && std::any_of(regime_.regions.begin(), regime_.regions.end(),
                                         [&](Region region) { return Concerns(suspension, purpose, region); });
    if (!counts) continue;
    fact->region = suspension.region;
    fact->from = suspension.suspended_at;
    return;
  }
}

template <typename TraceT>
void Evaluation<TraceT>::NoteSuspensions(Purpose purpose) const {
  for (const Suspension& suspension : rules_.suspensions) {
    const bool ended =
        !suspension.active && std::any_of(regime_.regions.begin(), regime_.regions.end(),
                                          [&](Region region) { return Concerns(suspension, purpose, region); });
    if (!ended) continue;
    Nearly(Row::kE2, Reason::kSuspended, RowNote::kEnded, [&](RowFact& fact) {
      fact.purpose = purpose;
      fact.region = suspension.region;
      fact.from = suspension.suspended_at;
      fact.to = suspension.resumed_at;
    });
  }
}

// E12: by what each scope allows, or would.
template <typename TraceT>
void Evaluation<TraceT>::NoteGrounds(Purpose purpose, Reason first) const {
  if (!IsPurpose(purpose)) return;
  for (const Named& named : named_) {
    const PurposeChoice choice = EffectiveChoice(*named.scope, purpose, rules_);
    const bool is_given = choice.choice == Choice::kGiven;
    if (named.scope->kind == ScopeKind::kDevice || SaysNo(choice.choice)) continue;
    const auto what = [&](RowFact& fact) { SetChoice(*named.scope, purpose, choice, &fact); };
    const bool by_consent = is_given && CoversCapture(choice);
    ReasonSet none;
    if (first == Reason::kConsent || (first == Reason::kDefault && !by_consent)) {
      Say(&none, Row::kE12, first, [&](RowFact& fact) {
        what(fact);
        if (first == Reason::kDefault) fact.at = DefaultFrom(*named.scope, purpose);
      });
    } else if (is_given && !trace_->Denies(ScopeRef{named.scope->kind, named.scope->handle})) {
      Nearly(Row::kE12, Reason::kConsent, RowNote::kStands, what);
    }
  }
}

// Of an explanation alone.
template void Evaluation<Trace>::SetUnset(const ScopeFacts& scope, Purpose purpose, const SuspensionState& suspension,
                                          RowFact* fact) const;
template Instant Evaluation<Trace>::EndOf(const Named& named, const PurposeChoice& consent) const;
template void Evaluation<Trace>::SetSuspension(Purpose purpose, RowFact* fact) const;
template void Evaluation<Trace>::NoteSuspensions(Purpose purpose) const;
template void Evaluation<Trace>::NoteGrounds(Purpose purpose, Reason first) const;

}  // namespace internal

Explanation Explain(const SubjectFacts* subject, const RecordingState& marks, const Question& question,
                    const Rules& rules, const std::vector<Tombstone>& tombstones, const std::vector<Hold>& holds) {
  internal::Trace trace;
  internal::Evaluation<internal::Trace> evaluation(subject, marks, question, rules, &trace);
  Explanation explanation;
  explanation.decision = evaluation.Run();
  explanation.rows = trace.TakeFacts(question.purpose != Purpose::kNone, &explanation.cut);
  for (const Region region : evaluation.regime().regions) {
    explanation.regions.push_back({region, rules.ForRegion(region).regime});
  }
  explanation.tombstones.reserve(tombstones.size());
  for (const Tombstone& tombstone : tombstones) explanation.tombstones.push_back(evaluation.MatchOf(tombstone));
  explanation.holds.reserve(holds.size());
  for (const Hold& hold : holds) explanation.holds.push_back(evaluation.MatchOf(hold));
  return explanation;
}

}  // namespace consent::domain
