// E2, E4, E8 and E9: what every named scope says to one purpose.
#include <algorithm>

#include "daemon/domain/evaluation.h"

namespace consent::domain::internal {

template <typename TraceT>
SuspensionState Evaluation<TraceT>::Suspended(Purpose purpose) const {
  SuspensionState state;
  if (rules_.suspensions.empty()) return state;
  for (const Region region : regime_.regions) {
    const SuspensionState there = SuspensionOf(purpose, region, rules_);
    state.ever = state.ever || there.ever;
    state.active = state.active || there.active;
    state.last_end = std::max(state.last_end, there.last_end);
  }
  return state;
}

// E2, E4, E8 and E9 for one purpose.
template <typename TraceT>
ReasonSet Evaluation<TraceT>::PurposeRows(Purpose purpose) {
  ReasonSet reasons;
  const SuspensionState suspension = Suspended(purpose);
  if (suspension.active) {
    Say(&reasons, Row::kE2, Reason::kSuspended, [&](RowFact& fact) { SetSuspension(purpose, &fact); });
  }
  if constexpr (TraceT::kOn) NoteSuspensions(purpose);
  if (subject_ == nullptr) return reasons;
  reasons.Add(GuardianRow(purpose));
  if (!rules_.purposes.Has(purpose)) {
    Say(&reasons, Row::kE9, Reason::kNoConsent, [&](RowFact& fact) {
      fact.purpose = purpose;
      fact.note = RowNote::kOtherPolicy;
    });
  }
  for (const Named& named : named_) reasons.Add(ChoiceRows(named, purpose, suspension));
  return reasons;
}

// E4.
template <typename TraceT>
ReasonSet Evaluation<TraceT>::GuardianRow(Purpose purpose) {
  ReasonSet reasons;
  bool child_named = false;
  for (const Named& named : named_) {
    if (!named.is_profile) continue;
    if (!named.is_child_now) {
      const bool captured_as_child = when_.known ? when_.lo < named.adult_from : named.adult_from > Instant{};
      if (captured_as_child) {
        Say(&reasons, Row::kE4, Reason::kChildWithoutGuardian, [&](RowFact& fact) {
          SetScope(*named.scope, &fact);
          fact.purpose = purpose;
          fact.note = RowNote::kCapturedAsChild;
          fact.at = named.adult_from;
        });
      }
      continue;
    }
    child_named = true;
    const PurposeChoice choice = EffectiveChoice(*named.scope, purpose, rules_);
    const bool by_the_guardian = choice.choice == Choice::kGiven && choice.by_guardian && !choice.has_ended &&
                                 named.scope->guardian.IsSet() && CountsFrom(choice) >= named.scope->guardian_since &&
                                 CountsFrom(choice) >= named.child_again_since && !PassedAt(named.guardian_until);
    if (!by_the_guardian) {
      Say(&reasons, Row::kE4, Reason::kChildWithoutGuardian, [&](RowFact& fact) {
        SetChoice(*named.scope, purpose, choice, &fact);
        fact.note = RowNote::kNotTheGuardians;
      });
    }
  }
  if (ChildPresent() && !child_named) {
    Say(&reasons, Row::kE4, Reason::kChildWithoutGuardian, [&](RowFact& fact) { fact.purpose = purpose; });
  }
  return reasons;
}

// E8 and E9 of one scope.
template <typename TraceT>
ReasonSet Evaluation<TraceT>::ChoiceRows(const Named& named, Purpose purpose, const SuspensionState& suspension) {
  const PurposeChoice choice = EffectiveChoice(*named.scope, purpose, rules_);
  const auto what = [&](RowFact& fact) { SetChoice(*named.scope, purpose, choice, &fact); };
  ReasonSet reasons;
  switch (choice.choice) {
    case Choice::kRefused:
      Say(&reasons, Row::kE8, Reason::kRefused, what);
      return reasons;
    case Choice::kWithdrawn:
      Say(&reasons, Row::kE8, Reason::kWithdrawn, what);
      return reasons;
    case Choice::kUnset:
      reasons = UnsetRow(named, purpose, suspension);
      break;
    case Choice::kGiven:
      reasons = named.scope->kind == ScopeKind::kDevice ? DeviceRow(named, choice, purpose)
                                                        : ConsentRow(named, choice, purpose, suspension);
      if (choice.unconfirmed) {
        Say(&reasons, Row::kE9, Reason::kNoConsent, [&](RowFact& fact) {
          what(fact);
          fact.note = RowNote::kUnconfirmed;
        });
      }
      break;
  }
  if (CapturedWhileRefused(choice)) {
    Say(&reasons, Row::kE8, Reason::kCapturedWhileRefused, what);
  } else if (choice.refused_from.IsSet() && !choice.end_was_expiry) {
    Nearly(Row::kE8, Reason::kCapturedWhileRefused,
           HasConsentedForThePast(choice) ? RowNote::kForgiven : RowNote::kOutsideTimes, what);
  }
  return reasons;
}

template <typename TraceT>
bool Evaluation<TraceT>::CoversCapture(const PurposeChoice& consent) const {
  const Notice* notice = rules_.FindNotice(consent.notice);
  return (notice != nullptr && notice->covers_past) || consent.since <= when_.lo;
}

// A device's choice can only restrict: what is left of E9 is that it was off before.
template <typename TraceT>
ReasonSet Evaluation<TraceT>::DeviceRow(const Named& named, const PurposeChoice& choice, Purpose purpose) const {
  ReasonSet reasons;
  if (when_.known && EndedOnce(named, choice) && !CoversCapture(choice)) {
    Say(&reasons, Row::kE9, Reason::kCapturedBeforeConsent,
        [&](RowFact& fact) { SetChoice(*named.scope, purpose, choice, &fact); });
  }
  return reasons;
}

// A denied closure, or "everything", took the default away, and the account has said nothing to this purpose since:
// neither by itself nor by a control or everything.
template <typename TraceT>
bool Evaluation<TraceT>::DefaultDenied(Purpose purpose) const {
  const Instant denied = subject_->default_denied;
  if (!denied.IsSet()) return false;
  const ScopeFacts& account = subject_->account();
  const PurposeChoice& own = account.ChoiceFor(purpose);
  if ((own.choice != Choice::kUnset && own.LastGiven() > denied) || account.refused_all_since > denied) return false;
  return std::none_of(account.refused_controls.begin(), account.refused_controls.end(),
                      [&](const ControlRefusal& refusal) {
                        const Control* control = rules_.FindControl(refusal.control);
                        return refusal.since > denied && control != nullptr && control->purposes.Has(purpose);
                      });
}

template <typename TraceT>
bool Evaluation<TraceT>::Needed(const ScopeFacts& scope, Purpose purpose, const SuspensionState& suspension) const {
  if (regime_.opt_in || suspension.ever || DefaultDenied(purpose)) return true;
  return when_.known && when_.lo < DefaultFrom(scope, purpose);
}

// From when on a default allows what was captured.
template <typename TraceT>
Instant Evaluation<TraceT>::DefaultFrom(const ScopeFacts& scope, Purpose purpose) const {
  return std::max({regime_.opt_out_since, rules_.InUseSince(purpose), subject_->default_from, scope.default_from,
                   subject_->default_denied});
}

// E9 of a scope that never chose. No notice speaks for another adult.
template <typename TraceT>
ReasonSet Evaluation<TraceT>::UnsetRow(const Named& named, Purpose purpose, const SuspensionState& suspension) {
  ReasonSet reasons;
  if (named.scope->kind == ScopeKind::kDevice || !Needed(*named.scope, purpose, suspension)) return reasons;
  const auto what = [&](RowFact& fact) { SetUnset(*named.scope, purpose, suspension, &fact); };
  if (!named.is_profile) {
    Say(&reasons, Row::kE9, Reason::kNoConsent, what);
  } else if (!named.is_child_now) {
    Say(&reasons, Row::kE9, Reason::kProfileWithoutConsent, what);
  }
  return reasons;
}

// E9 of a consent.
template <typename TraceT>
ReasonSet Evaluation<TraceT>::ConsentRow(const Named& named, const PurposeChoice& choice, Purpose purpose,
                                         const SuspensionState& suspension) {
  ReasonSet reasons;
  const auto what = [&](RowFact& fact) { SetChoice(*named.scope, purpose, choice, &fact); };
  const Notice* notice = rules_.FindNotice(choice.notice);
  if (notice == nullptr) {
    Say(&reasons, Row::kE9, Reason::kNoConsent, [&](RowFact& fact) {
      what(fact);
      fact.note = RowNote::kOtherPolicy;
    });
  } else {
    const bool was_suspended = choice.was_suspended || CountsFrom(choice) < suspension.last_end;
    if (was_suspended || !notice->purposes.Has(purpose)) {
      Say(&reasons, Row::kE9, Reason::kNoConsent, [&](RowFact& fact) {
        what(fact);
        fact.note = was_suspended ? RowNote::kBeforeSuspensionEnd : RowNote::kOtherPolicy;
        fact.at = suspension.last_end;
      });
    }
    const auto at = [&](Instant when) {
      return [&what, when](RowFact& fact) {
        what(fact);
        fact.at = when;
      };
    };
    if (ConsentEnded(named, choice)) {
      Say(&reasons, Row::kE9, Reason::kConsentExpired, [&](RowFact& fact) {
        what(fact);
        fact.at = EndOf(named, choice);
      });
    } else if constexpr (TraceT::kOn) {
      const Instant end = ConsentEnd(choice, rules_);  // counting months is slow
      if (end != base::kEndOfTime) Nearly(Row::kE9, Reason::kConsentExpired, RowNote::kNotYet, at(end));
    }
    if (PassedAt(notice->superseded_from)) {
      Say(&reasons, Row::kE9, Reason::kNoticeSuperseded, at(notice->superseded_from));
    } else if (notice->superseded_from != base::kEndOfTime) {
      Nearly(Row::kE9, Reason::kNoticeSuperseded, RowNote::kNotYet, at(notice->superseded_from));
    }
    if (purpose == Purpose::kHumanReview && !notice->says_people_listen) {
      Say(&reasons, Row::kE9, Reason::kNoticeSilentOnPeople, what);
    }
  }
  if (when_.known && !CoversCapture(choice) &&
      (Needed(*named.scope, purpose, suspension) || EndedOnce(named, choice))) {
    Say(&reasons, Row::kE9, Reason::kCapturedBeforeConsent, what);
  }
  return reasons;
}

// What the other files use.
template ReasonSet Evaluation<NoTrace>::PurposeRows(Purpose purpose);
template bool Evaluation<NoTrace>::CoversCapture(const PurposeChoice& consent) const;
template ReasonSet Evaluation<Trace>::PurposeRows(Purpose purpose);
template bool Evaluation<Trace>::CoversCapture(const PurposeChoice& consent) const;
template bool Evaluation<Trace>::DefaultDenied(Purpose purpose) const;
template Instant Evaluation<Trace>::DefaultFrom(const ScopeFacts& scope, Purpose purpose) const;

}  // namespace consent::domain::internal
