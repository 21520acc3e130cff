// The rows R1 to R5: what is to be done with a recording, whatever is asked about it.
#include <algorithm>

#include "daemon/domain/evaluation.h"
#include "daemon/domain/tombstone_intervals.h"

namespace consent::domain::internal {

template <typename TraceT>
Match Evaluation<TraceT>::MatchOf(const Hold& hold) const {
  if (!Names(hold.scope, hold.handle)) return Match::kOtherScope;
  return !when_.known || Overlaps(when_, hold.captured) ? Match::kSurely : Match::kOutsideTimes;
}

// R1.
template <typename TraceT>
void Evaluation<TraceT>::Holds() {
  on_hold_ = marks_.on_hold;
  if (on_hold_) Say(&disposition_, Row::kR1, Reason::kLegalHold, NoFacts);
  HoldsOf(*subject_);
  for (const OrdersBeside& alias : subject_->beside) HoldsOf(*alias.facts);
}

template <typename TraceT>
void Evaluation<TraceT>::HoldsOf(const SubjectFacts& record) {
  for (const Hold& hold : record.holds) {
    const Match match = MatchOf(hold);
    const auto what = [&hold](RowFact& fact) { SetTimes(ScopeRef{hold.scope, hold.handle}, hold.captured, &fact); };
    if (match == Match::kSurely) {
      on_hold_ = true;
      Say(&disposition_, Row::kR1, Reason::kLegalHold, what);
    } else {
      Nearly(Row::kR1, Reason::kLegalHold, NoteOf(match), what);
    }
  }
}

// R1, of a report of SAFETY. It ends by time alone, and in doubt of the time it lasts.
template <typename TraceT>
void Evaluation<TraceT>::SafetyHold() {
  const Instant until = rules_.safety.HeldUntil(marks_.safety_since);
  if (!until.IsSet()) return;
  const auto what = [&](RowFact& fact) {
    fact.since = marks_.safety_since;
    fact.at = until;
  };
  if (SurelyPassedAt(until)) {
    Nearly(Row::kR1, Reason::kSafetyHold, RowNote::kEnded, what);
  } else {
    on_hold_ = true;
    Say(&disposition_, Row::kR1, Reason::kSafetyHold, what);
  }
}

template <typename TraceT>
Match Evaluation<TraceT>::MatchOf(const Tombstone& tombstone) const {
  if (!Names(tombstone.scope, tombstone.handle)) return Match::kOtherScope;
  const bool is_copy_of_it = recording_.artefact != Artefact::kSource && tombstone.copies_of.Has(recording_.made_for);
  if (!(tombstone.copies_of.Empty() || is_copy_of_it)) return Match::kOnlyCopies;
  const OrderedTimes& times = tombstone.captured;
  if (when_.known) {
    if (!times.PerhapsOrders(when_.lo, when_.hi)) return Match::kOutsideTimes;
    return times.SurelyOrders(when_.lo, when_.hi) ? Match::kSurely : Match::kPerhaps;
  }
  if (times.IsEmpty()) return Match::kOutsideTimes;
  // Without a time every one matches for eligibility; for the disposition only what its ingestion proves.
  const bool proven = !times.HasBeginning() && when_.ingested.IsSet() && when_.ingested <= times.sure();
  return proven ? Match::kSurely : Match::kPerhaps;
}

// R2 and the deletions of E1.
template <typename TraceT>
void Evaluation<TraceT>::Tombstones() {
  if (marks_.has_tombstone) Ordered(marks_.tombstone, true, NoFacts);
  TombstonesOf(*subject_);
  ClosureOf(*subject_);
  for (const OrdersBeside& alias : subject_->beside) {
    TombstonesOf(*alias.facts);
    if (alias.is_asked) ClosureOf(*alias.facts);
  }
}

// A deletion in that state matches: surely, or perhaps.
template <typename TraceT>
template <typename Fill>
void Evaluation<TraceT>::Ordered(TombstoneState state, bool surely, const Fill& what) {
  switch (state) {
    case TombstoneState::kVerified:
      if (surely) Say(&disposition_, Row::kR2, Reason::kDeleted, what);
      SayUnless(surely, &eligibility_, Row::kE1, Reason::kDeleted, what);
      break;
    case TombstoneState::kPending:
      Say(&eligibility_, Row::kE1, Reason::kDeletionPending, what);
      break;
    case TombstoneState::kDenied:
      Say(&eligibility_, Row::kE1, Reason::kDeletionDenied, what);
      break;
  }
}

template <typename TraceT>
void Evaluation<TraceT>::TombstonesOf(const SubjectFacts& record) {
  const auto match = [&](const Tombstone& tombstone) {
    const Match found = MatchOf(tombstone);
    const auto what = [&](RowFact& fact) { SetTombstone(tombstone, found, &fact); };
    if (found == Match::kSurely || found == Match::kPerhaps) {
      Ordered(tombstone.state, found == Match::kSurely, what);
    } else {
      Nearly(RowOf(tombstone.state), ReasonOf(tombstone.state), NoteOf(found), what);
    }
  };
  for (const Tombstone& tombstone : record.tombstones) match(tombstone);
  if (!record.has_more_tombstones) return;
  if (record.cover == nullptr) {
    Say(&eligibility_, Row::kE1, Reason::kDeletionPending, NoFacts);
  } else if (when_.known) {
    record.cover->Visit(when_.lo, when_.hi, match);
  } else {
    record.cover->Visit(Instant{}, base::kEndOfTime, match);
  }
}

template <typename TraceT>
void Evaluation<TraceT>::ClosureOf(const SubjectFacts& record) {
  if (!record.closed_at.IsSet()) return;
  // What was captured before a new account began is the closed one's.
  const Instant reopened = record.reopened_at;
  const Instant earliest = when_.known ? when_.lo : when_.ingested;
  const auto what = [&](RowFact& fact) {
    fact.since = record.closed_at;
    fact.to = reopened;
    if (fact.matched && reopened.IsSet()) fact.note = RowNote::kReopened;
  };
  const bool is_closed = !reopened.IsSet() || (earliest.IsSet() && earliest <= reopened);
  if (is_closed) {
    Say(&disposition_, Row::kR2, Reason::kAccountClosed, what);
  } else if (when_.known) {
    Nearly(Row::kR2, Reason::kAccountClosed, RowNote::kEnded, what);
  }
  if (!when_.known) SayUnless(is_closed, &eligibility_, Row::kE1, Reason::kAccountClosed, what);
}

// R3 of one scope. A border case is KEEP and never eligible.
template <typename TraceT>
void Evaluation<TraceT>::RetentionOf(const ScopeFacts& scope) {
  const bool by_months = scope.retention.kind == RetentionKind::kMonths;
  const bool has_floor = scope.purge_floor.IsSet();
  bool over = false;
  if (scope.retention.kind == RetentionKind::kDoNotSave) {
    Say(&disposition_, Row::kR3, Reason::kDoNotSave, [&](RowFact& fact) { SetRetention(scope, {}, &fact); });
  }
  const Instant no_later = when_.NoLaterThan();
  const Instant no_earlier = when_.known ? when_.lo : no_later;  // it goes by the ingestion
  const auto what = [&](RowFact& fact) { SetRetention(scope, Interval{no_earlier, no_later}, &fact); };
  if (no_later.IsSet()) {
    over = (has_floor && no_later <= scope.purge_floor) ||
           (by_months && SurelyPassedAt(base::LatestAfterMonths(no_earlier, no_later, scope.retention.months)));
    if (over) Say(&disposition_, Row::kR3, Reason::kRetentionExpired, what);
  }
  const bool perhaps_over =
      when_.known ? (has_floor && when_.lo <= scope.purge_floor) ||
                        (by_months && PassedAt(base::EarliestAfterMonths(when_.lo, when_.hi, scope.retention.months)))
                  : by_months || has_floor;
  if (perhaps_over) {
    SayUnless(over, &eligibility_, Row::kE1, Reason::kRetentionExpired, what);
  } else if (by_months) {
    Nearly(Row::kR3, Reason::kRetentionExpired, RowNote::kNotYet, what);
  }
}

// R3 and E1 of one named profile.
template <typename TraceT>
void Evaluation<TraceT>::ChildInactivity(const Named& named) {
  if (!named.is_profile || !named.is_child_now || !named.scope->last_active.IsSet()) return;
  if (!PassedAt(base::AddMonths(named.scope->last_active, regime_.child_inactive_months))) return;
  const MergedRegime::Purging& purging = regime_.purging;
  const Instant notice = named.scope->inactivity_notice;
  const bool is_told =
      notice.IsSet() && notice >= base::AddMonths(named.scope->last_active, purging.child_inactive_months);
  const auto what = [&](RowFact& fact) {
    SetScope(*named.scope, &fact);
    fact.since = named.scope->last_active;
    fact.from = notice;
    if (is_told) fact.at = notice + purging.child_notice_period;
  };
  const bool is_over = is_told && SurelyPassedAt(notice + purging.child_notice_period);
  if (is_over) Say(&disposition_, Row::kR3, Reason::kChildInactive, what);
  SayUnless(is_over, &eligibility_, Row::kE1, Reason::kChildInactive, what);
}

// R4. Nothing is known of the region of a subject that only restrictions have named.
template <typename TraceT>
void Evaluation<TraceT>::FalseWake() {
  const Instant no_later = when_.NoLaterThan();
  if (!Accidental() || !subject_->registered || !no_later.IsSet()) return;
  const Instant over_from = no_later + regime_.purging.false_wake_ttl + base::Microseconds(1);
  const auto what = [&](RowFact& fact) { fact.at = over_from; };
  if (SurelyPassedAt(over_from)) {
    Say(&disposition_, Row::kR4, Reason::kAccidentalExpired, what);
  } else {
    Nearly(Row::kR4, Reason::kAccidentalExpired, RowNote::kNotYet, what);
  }
}

// R5.
template <typename TraceT>
void Evaluation<TraceT>::EndedCopies() {
  if (recording_.artefact == Artefact::kSource || !IsPurpose(recording_.made_for)) return;
  for (const Named& named : named_) {
    const PurposeChoice choice = EffectiveChoice(*named.scope, recording_.made_for, rules_);
    const bool owed = EndedOnce(named, choice) && CopiesOwed(choice);
    // A no that another removed scope may have said forbids, and purges nothing.
    const bool says_no = SaysNo(choice.choice) && !choice.inherited;
    const bool is_over = ConsentSurelyEnded(named, choice);
    // Whether it goes on is known once it is given again: until then the copy waits, and is not used.
    if (choice.choice == Choice::kGiven && choice.unconfirmed) {
      Say(&eligibility_, Row::kE9, Reason::kNoConsent, [&](RowFact& fact) {
        SetChoice(*named.scope, recording_.made_for, choice, &fact);
        fact.note = RowNote::kUnconfirmed;
      });
    }
    const auto what = [&](RowFact& fact) {
      SetChoice(*named.scope, recording_.made_for, choice, &fact);
      if (!fact.matched) return;
      fact.note = says_no ? RowNote::kSaysNo : is_over ? RowNote::kConsentOver : RowNote::kEndedAfterCapture;
      if (!says_no && !is_over) fact.from = choice.OwedUntil();
    };
    if (says_no || is_over || owed) {
      Say(&disposition_, Row::kR5, Reason::kPurposeEnded, what);
    } else if (choice.inherited) {
      Nearly(Row::kR5, Reason::kPurposeEnded, RowNote::kInherited, what);
    } else if (choice.refused_from.IsSet()) {
      Nearly(Row::kR5, Reason::kPurposeEnded, choice.copies_forgiven ? RowNote::kForgiven : RowNote::kEnded, what);
    }
  }
}

// An earlier consent or default had ended. A device's consent is never needed, so it only can have refused.
template <typename TraceT>
bool Evaluation<TraceT>::EndedOnce(const Named& named, const PurposeChoice& choice) const {
  const bool needs_none = named.scope->kind == ScopeKind::kDevice;
  return choice.refused_from.IsSet() && !(needs_none && choice.end_was_expiry);
}

// It ended after the capture and was consented to again, or its scope was removed since: what was made before that end
// is still owed. What was captured after it was made of nothing that was allowed then, and the record tells nothing of
// it.
template <typename TraceT>
bool Evaluation<TraceT>::CopiesOwed(const PurposeChoice& choice) const {
  if (choice.copies_forgiven) return false;
  const Instant earliest = when_.known ? when_.lo : when_.ingested;
  return earliest.IsSet() && earliest < choice.OwedUntil();
}

// Counting months is slow, and hardly any consent ends within the life of an answer: no month has fewer than 28 days.
template <typename TraceT>
bool Evaluation<TraceT>::MayBeOver(const PurposeChoice& consent) const {
  const Notice* notice = rules_.FindNotice(consent.notice);
  if (notice == nullptr || notice->consent_lifetime_months == 0) return false;
  const Instant at_the_earliest = consent.LastGiven() + base::Days(28 * int64_t{notice->consent_lifetime_months});
  return at_the_earliest <= now_.latest || at_the_earliest <= good_until_;
}

template <typename TraceT>
bool Evaluation<TraceT>::LifetimeOver(const PurposeChoice& consent) {
  return MayBeOver(consent) && PassedAt(ConsentEnd(consent, rules_));
}

// A consent's lifetime is over, or a child on whose behalf it was given has come of age.
template <typename TraceT>
bool Evaluation<TraceT>::ConsentEnded(const Named& named, const PurposeChoice& choice) {
  const bool lifetime_over = LifetimeOver(choice);
  if (!named.is_profile) return lifetime_over;
  if (choice.by_guardian) {
    return PassedAt(named.guardian_until) || choice.has_ended || CountsFrom(choice) < named.child_again_since ||
           lifetime_over;
  }
  return lifetime_over || (!named.is_child_now && CountsFrom(choice) < named.adult_from);
}

// The same as far as it purges copies: by the subject's own region alone, and never because somebody's age was
// corrected. A device's consent is not needed, so its end is none.
template <typename TraceT>
bool Evaluation<TraceT>::ConsentSurelyEnded(const Named& named, const PurposeChoice& choice) {
  if (choice.choice != Choice::kGiven || named.scope->kind == ScopeKind::kDevice) return false;
  const bool lifetime_over = MayBeOver(choice) && SurelyPassedAt(ConsentEnd(choice, rules_));
  if (!named.is_profile || !choice.by_guardian) return lifetime_over;
  return lifetime_over || SurelyPassedAt(named.guardian_ends_home) || choice.has_ended ||
         CountsFrom(choice) < ChildAgainSince(named.scope->age, *regime_.at_home);
}

// What the other files use.
template Match Evaluation<NoTrace>::MatchOf(const Hold& hold) const;
template Match Evaluation<NoTrace>::MatchOf(const Tombstone& tombstone) const;
template void Evaluation<NoTrace>::Holds();
template void Evaluation<NoTrace>::SafetyHold();
template void Evaluation<NoTrace>::Tombstones();
template void Evaluation<NoTrace>::RetentionOf(const ScopeFacts& scope);
template void Evaluation<NoTrace>::ChildInactivity(const Named& named);
template void Evaluation<NoTrace>::FalseWake();
template void Evaluation<NoTrace>::EndedCopies();
template bool Evaluation<NoTrace>::EndedOnce(const Named& named, const PurposeChoice& choice) const;
template bool Evaluation<NoTrace>::ConsentEnded(const Named& named, const PurposeChoice& choice);
template Match Evaluation<Trace>::MatchOf(const Hold& hold) const;
template Match Evaluation<Trace>::MatchOf(const Tombstone& tombstone) const;
template void Evaluation<Trace>::Holds();
template void Evaluation<Trace>::SafetyHold();
template void Evaluation<Trace>::Tombstones();
template void Evaluation<Trace>::RetentionOf(const ScopeFacts& scope);
template void Evaluation<Trace>::ChildInactivity(const Named& named);
template void Evaluation<Trace>::FalseWake();
template void Evaluation<Trace>::EndedCopies();
template bool Evaluation<Trace>::EndedOnce(const Named& named, const PurposeChoice& choice) const;
template bool Evaluation<Trace>::ConsentEnded(const Named& named, const PurposeChoice& choice);

}  // namespace consent::domain::internal
