// The rows R1 to R5: what is to be done with a recording, whatever is asked about it.
#include <algorithm>

#include "daemon/domain/evaluation.h"
#include "daemon/domain/tombstone_intervals.h"

namespace consent::domain::internal {
namespace {

bool Overlaps(const CaptureTime& when, const Interval& interval) {
  return when.hi >= interval.from && when.lo <= interval.to;
}

}  // namespace

// R1.
void Evaluation::Holds() {
  on_hold_ = marks_.on_hold;
  for (const Hold& hold : subject_->holds) {
    const bool scope_named = Names(hold.scope, hold.handle);
    if (scope_named && (!when_.known || Overlaps(when_, hold.captured))) on_hold_ = true;
  }
  if (on_hold_) disposition_.Add(Reason::kLegalHold);
}

// R2 and the deletions of E1.
void Evaluation::Tombstones() {
  const auto matched = [this](TombstoneState state, bool for_disposition) {
    switch (state) {
      case TombstoneState::kVerified:
        if (for_disposition) disposition_.Add(Reason::kDeleted);
        eligibility_.Add(Reason::kDeleted);
        break;
      case TombstoneState::kPending:
        eligibility_.Add(Reason::kDeletionPending);
        break;
      case TombstoneState::kDenied:
        eligibility_.Add(Reason::kDeletionDenied);
        break;
    }
  };
  if (marks_.has_tombstone) matched(marks_.tombstone, true);
  const auto match = [&](const Tombstone& tombstone) {
    const bool scope_named = Names(tombstone.scope, tombstone.handle);
    const bool is_copy_of_it = recording_.artefact != Artefact::kSource && tombstone.copies_of.Has(recording_.made_for);
    if (!scope_named || !(tombstone.copies_of.Empty() || is_copy_of_it)) return;
    const OrderedTimes& times = tombstone.captured;
    if (when_.known) {
      if (times.PerhapsOrders(when_.lo, when_.hi)) matched(tombstone.state, times.SurelyOrders(when_.lo, when_.hi));
    } else if (!times.IsEmpty()) {
      // Without a time every one matches for eligibility; for the disposition only what its ingestion proves.
      const bool proven = !times.HasBeginning() && when_.ingested.IsSet() && when_.ingested <= times.sure();
      matched(tombstone.state, proven);
    }
  };
  for (const Tombstone& tombstone : subject_->tombstones) match(tombstone);
  if (subject_->has_more_tombstones) {
    if (subject_->cover == nullptr) {
      eligibility_.Add(Reason::kDeletionPending);
    } else if (when_.known) {
      subject_->cover->Visit(when_.lo, when_.hi, match);
    } else {
      subject_->cover->Visit(Instant{}, base::kEndOfTime, match);
    }
  }
  if (!subject_->closed_at.IsSet()) return;
  // What was captured before a new account began is the closed one's.
  const Instant reopened = subject_->reopened_at;
  const Instant earliest = when_.known ? when_.lo : when_.ingested;
  if (!reopened.IsSet() || (earliest.IsSet() && earliest <= reopened)) disposition_.Add(Reason::kAccountClosed);
  if (!when_.known) eligibility_.Add(Reason::kAccountClosed);
}

// R3 of one scope. A border case is KEEP and never eligible.
void Evaluation::RetentionOf(const ScopeFacts& scope) {
  const bool by_months = scope.retention.kind == RetentionKind::kMonths;
  const bool has_floor = scope.purge_floor.IsSet();
  if (scope.retention.kind == RetentionKind::kDoNotSave) disposition_.Add(Reason::kDoNotSave);
  if (const Instant no_later = when_.NoLaterThan(); no_later.IsSet()) {
    const Instant no_earlier = when_.known ? when_.lo : no_later;  // it goes by the ingestion
    const bool over =
        (has_floor && no_later <= scope.purge_floor) ||
        (by_months && SurelyPassedAt(base::LatestAfterMonths(no_earlier, no_later, scope.retention.months)));
    if (over) disposition_.Add(Reason::kRetentionExpired);
  }
  const bool perhaps_over =
      when_.known ? (has_floor && when_.lo <= scope.purge_floor) ||
                        (by_months && PassedAt(base::EarliestAfterMonths(when_.lo, when_.hi, scope.retention.months)))
                  : by_months || has_floor;
  if (perhaps_over) eligibility_.Add(Reason::kRetentionExpired);
}

// R3 and E1 of one named profile.
void Evaluation::ChildInactivity(const Named& named) {
  if (!named.is_profile || !named.is_child_now || !named.scope->last_active.IsSet()) return;
  if (!PassedAt(base::AddMonths(named.scope->last_active, regime_.child_inactive_months))) return;
  eligibility_.Add(Reason::kChildInactive);
  const MergedRegime::Purging& purging = regime_.purging;
  const Instant notice = named.scope->inactivity_notice;
  if (!notice.IsSet() || notice < base::AddMonths(named.scope->last_active, purging.child_inactive_months)) return;
  if (SurelyPassedAt(notice + purging.child_notice_period)) disposition_.Add(Reason::kChildInactive);
}

// R4. Nothing is known of the region of a subject that only restrictions have named.
void Evaluation::FalseWake() {
  const Instant no_later = when_.NoLaterThan();
  if (!Accidental() || !subject_->registered || !no_later.IsSet()) return;
  const Instant over_from = no_later + regime_.purging.false_wake_ttl + base::Microseconds(1);
  if (SurelyPassedAt(over_from)) disposition_.Add(Reason::kAccidentalExpired);
}

// R5.
void Evaluation::EndedCopies() {
  if (recording_.artefact == Artefact::kSource || !IsPurpose(recording_.made_for)) return;
  for (const Named& named : named_) {
    const PurposeChoice choice = EffectiveChoice(*named.scope, recording_.made_for, rules_);
    const bool owed = EndedOnce(named, choice) && CopiesOwed(choice);
    // A no that another removed scope may have said forbids, and purges nothing.
    if ((SaysNo(choice.choice) && !choice.inherited) || ConsentSurelyEnded(named, choice) || owed) {
      disposition_.Add(Reason::kPurposeEnded);
    }
  }
}

// An earlier consent or default had ended. A device's consent is never needed, so it only can have refused.
bool Evaluation::EndedOnce(const Named& named, const PurposeChoice& choice) const {
  const bool needs_none = named.scope->kind == ScopeKind::kDevice;
  return choice.refused_from.IsSet() && !(needs_none && choice.end_was_expiry);
}

// It ended after the capture and was consented to again, or its scope was removed since: what was made before that end
// is still owed. What was captured after it was made of nothing that was allowed then, and the record tells nothing of
// it.
bool Evaluation::CopiesOwed(const PurposeChoice& choice) const {
  if (choice.copies_forgiven) return false;
  const Instant earliest = when_.known ? when_.lo : when_.ingested;
  return earliest.IsSet() && earliest < choice.refused_from;
}

// Counting months is slow, and hardly any consent ends within the life of an answer: no month has fewer than 28 days.
bool Evaluation::MayBeOver(const PurposeChoice& consent) const {
  const Notice* notice = rules_.FindNotice(consent.notice);
  if (notice == nullptr || notice->consent_lifetime_months == 0) return false;
  const Instant at_the_earliest = consent.LastGiven() + base::Days(28 * int64_t{notice->consent_lifetime_months});
  return at_the_earliest <= now_.latest || at_the_earliest <= good_until_;
}

bool Evaluation::LifetimeOver(const PurposeChoice& consent) {
  return MayBeOver(consent) && PassedAt(ConsentEnd(consent, rules_));
}

// A consent's lifetime is over, or a child on whose behalf it was given has come of age.
bool Evaluation::ConsentEnded(const Named& named, const PurposeChoice& choice) {
  const bool lifetime_over = LifetimeOver(choice);
  if (!named.is_profile) return lifetime_over;
  if (choice.by_guardian) {
    return PassedAt(named.guardian_until) || choice.has_ended ||
           choice.since < ChildAgainSince(named.scope->age, *regime_.at_home) || lifetime_over;
  }
  return lifetime_over || (!named.is_child_now && choice.since < named.adult_from);
}

// The same as far as it purges copies: by the subject's own region alone, and never because somebody's age was
// corrected. A device's consent is not needed, so its end is none.
bool Evaluation::ConsentSurelyEnded(const Named& named, const PurposeChoice& choice) {
  if (choice.choice != Choice::kGiven || named.scope->kind == ScopeKind::kDevice) return false;
  const bool lifetime_over = MayBeOver(choice) && SurelyPassedAt(ConsentEnd(choice, rules_));
  if (!named.is_profile || !choice.by_guardian) return lifetime_over;
  return lifetime_over || SurelyPassedAt(named.guardian_ends_home) || choice.has_ended ||
         choice.since < ChildAgainSince(named.scope->age, *regime_.at_home);
}

}  // namespace consent::domain::internal
