// E2, E4, E8 and E9: what every named scope says to one purpose.
#include <algorithm>

#include "daemon/domain/evaluation.h"

namespace consent::domain::internal {

SuspensionState Evaluation::Suspended(Purpose purpose) const {
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
ReasonSet Evaluation::PurposeRows(Purpose purpose) {
  ReasonSet reasons;
  const SuspensionState suspension = Suspended(purpose);
  if (suspension.active) reasons.Add(Reason::kSuspended);
  if (subject_ == nullptr) return reasons;
  reasons.Add(GuardianRow(purpose));
  if (!rules_.purposes.Has(purpose)) reasons.Add(Reason::kNoConsent);
  for (const Named& named : named_) reasons.Add(ChoiceRows(named, purpose, suspension));
  return reasons;
}

// E4.
ReasonSet Evaluation::GuardianRow(Purpose purpose) {
  ReasonSet reasons;
  bool child_named = false;
  for (const Named& named : named_) {
    if (!named.is_profile) continue;
    if (!named.is_child_now) {
      const bool captured_as_child = when_.known ? when_.lo < named.adult_from : named.adult_from > Instant{};
      if (captured_as_child) reasons.Add(Reason::kChildWithoutGuardian);
      continue;
    }
    child_named = true;
    const PurposeChoice choice = EffectiveChoice(*named.scope, purpose, rules_);
    const bool by_the_guardian = choice.choice == Choice::kGiven && choice.by_guardian && !choice.has_ended &&
                                 named.scope->guardian.IsSet() && choice.since >= named.guardian_since &&
                                 !PassedAt(named.guardian_until);
    if (!by_the_guardian) reasons.Add(Reason::kChildWithoutGuardian);
  }
  if (ChildPresent() && !child_named) reasons.Add(Reason::kChildWithoutGuardian);
  return reasons;
}

// E8 and E9 of one scope.
ReasonSet Evaluation::ChoiceRows(const Named& named, Purpose purpose, const SuspensionState& suspension) {
  const PurposeChoice choice = EffectiveChoice(*named.scope, purpose, rules_);
  ReasonSet reasons;
  switch (choice.choice) {
    case Choice::kRefused:
      reasons.Add(Reason::kRefused);
      return reasons;
    case Choice::kWithdrawn:
      reasons.Add(Reason::kWithdrawn);
      return reasons;
    case Choice::kUnset:
      reasons = UnsetRow(named, purpose, suspension);
      break;
    case Choice::kGiven:
      reasons = named.scope->kind == ScopeKind::kDevice ? DeviceRow(named, choice)
                                                        : ConsentRow(named, choice, purpose, suspension);
      break;
  }
  if (CapturedWhileRefused(choice)) reasons.Add(Reason::kCapturedWhileRefused);
  return reasons;
}

bool Evaluation::CoversCapture(const PurposeChoice& consent) const {
  const Notice* notice = rules_.FindNotice(consent.notice);
  return (notice != nullptr && notice->covers_past) || consent.since <= when_.lo;
}

// A device's choice can only restrict: what is left of E9 is that it was off before.
ReasonSet Evaluation::DeviceRow(const Named& named, const PurposeChoice& choice) const {
  ReasonSet reasons;
  if (when_.known && EndedOnce(named, choice) && !CoversCapture(choice)) reasons.Add(Reason::kCapturedBeforeConsent);
  return reasons;
}

// A denied closure, or "everything", took the default away, and the account has said nothing to this purpose since:
// neither by itself nor by a control or everything.
bool Evaluation::DefaultDenied(Purpose purpose) const {
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

bool Evaluation::Needed(const ScopeFacts& scope, Purpose purpose, const SuspensionState& suspension) const {
  if (regime_.opt_in || suspension.ever || DefaultDenied(purpose)) return true;
  const Instant default_from = std::max({regime_.opt_out_since, rules_.InUseSince(purpose), subject_->default_from,
                                         scope.default_from, subject_->default_denied});
  return when_.known && when_.lo < default_from;
}

// E9 of a scope that never chose. No notice speaks for another adult.
ReasonSet Evaluation::UnsetRow(const Named& named, Purpose purpose, const SuspensionState& suspension) {
  ReasonSet reasons;
  if (named.scope->kind == ScopeKind::kDevice || !Needed(*named.scope, purpose, suspension)) return reasons;
  if (!named.is_profile) {
    reasons.Add(Reason::kNoConsent);
  } else if (!named.is_child_now) {
    reasons.Add(Reason::kProfileWithoutConsent);
  }
  return reasons;
}

// E9 of a consent.
ReasonSet Evaluation::ConsentRow(const Named& named, const PurposeChoice& choice, Purpose purpose,
                                 const SuspensionState& suspension) {
  ReasonSet reasons;
  const Notice* notice = rules_.FindNotice(choice.notice);
  if (notice == nullptr) {
    reasons.Add(Reason::kNoConsent);
  } else {
    if (choice.was_suspended || choice.since < suspension.last_end || !notice->purposes.Has(purpose)) {
      reasons.Add(Reason::kNoConsent);
    }
    if (ConsentEnded(named, choice)) reasons.Add(Reason::kConsentExpired);
    if (PassedAt(notice->superseded_from)) reasons.Add(Reason::kNoticeSuperseded);
    if (purpose == Purpose::kHumanReview && !notice->says_people_listen) reasons.Add(Reason::kNoticeSilentOnPeople);
  }
  if (when_.known && !CoversCapture(choice) &&
      (Needed(*named.scope, purpose, suspension) || EndedOnce(named, choice))) {
    reasons.Add(Reason::kCapturedBeforeConsent);
  }
  return reasons;
}

}  // namespace consent::domain::internal
