// E8, E9 and E12: what the user chose.
#include <algorithm>

#include "tests/support/model/view.h"

namespace consent::model {

using domain::Choice;
using domain::Notice;
using domain::Purpose;
using domain::PurposeChoice;
using domain::Reason;
using domain::ScopeFacts;
using domain::ScopeKind;

bool CoversThePast(const View& view, const PurposeChoice& consent) {
  const Notice* notice = NoticeByNumber(view.rules, consent.notice);
  return notice != nullptr && notice->covers_past;
}

bool ConsentCoversTheCapture(const View& view, const PurposeChoice& consent) {
  return CoversThePast(view, consent) || (view.has_time && consent.since <= view.lo);
}

bool SaysNo(const PurposeChoice& says) { return says.choice == Choice::kRefused || says.choice == Choice::kWithdrawn; }

// Of ends before the last consent only the last is remembered: an earlier one may have been a refusal, or this one may
// have ended a consent that had come after a refusal.
bool PerhapsRefusedAtTheCapture(const View& view, const PurposeChoice& says) {
  if (SaysNo(says) || !says.refused_from.IsSet() || !view.has_time) return false;
  if (view.lo >= says.since) return false;
  if (says.choice != Choice::kGiven) return !says.copies_forgiven;
  // A consent that two records did not give alike has not consented for anything yet.
  return says.unconfirmed || !CoversThePast(view, says);
}

// It refused from `refused_from` until `since`: until it consented again, or was removed. Of several consents since,
// the notice of the last one speaks.
bool RefusedAtTheCapture(const View& view, const PurposeChoice& says) {
  if (says.end_was_expiry || !PerhapsRefusedAtTheCapture(view, says)) return false;
  return view.hi >= says.refused_from && view.lo < says.since;
}

namespace {

// A consent that was given and still has to be counted as absent.
bool CountsAsAbsent(const View& view, const PurposeChoice& consent, Purpose purpose) {
  const Notice* notice = NoticeByNumber(view.rules, consent.notice);
  if (notice == nullptr || !notice->purposes.Has(purpose)) return true;
  // A suspension of a region in which the subject lived then.
  if (consent.was_suspended || consent.unconfirmed) return true;
  return FirstConsented(consent) < SuspensionsOf(view.rules, purpose, view.law.regions).last_end;
}

bool HasEnded(const View& view, const ScopeFacts& scope, const PurposeChoice& consent) {
  if (LifetimeIsOver(consent, view.rules, view.now)) return true;
  if (scope.kind != ScopeKind::kProfile) return false;
  if (consent.by_guardian) return view.HadEndedOnce(scope, consent) || !view.MayHaveGuardian(scope);
  return view.GivenBeforeAdulthood(scope, consent);
}

// A denied closure or "everything" took every default away, and the account has not answered for this purpose since.
bool DefaultIsDenied(const View& view, Purpose purpose) {
  const Instant denied = view.subject->default_denied;
  return denied.IsSet() && !HasChosenAfter(view.accounts.front(), purpose, view.rules, denied);
}

bool IsNeeded(const View& view, const ScopeFacts& scope, Purpose purpose) {
  if (view.law.OptIn()) return true;
  if (SuspensionsOf(view.rules, purpose, view.law.regions).ever) return true;
  if (DefaultIsDenied(view, purpose)) return true;
  if (!view.has_time) return false;
  const Instant default_starts =
      std::max({view.law.default_began, view.rules.in_use_since[static_cast<size_t>(purpose) - 1],
                view.subject->default_from, view.subject->default_denied, scope.default_from});
  return view.lo < default_starts;
}

// What is wrong with a consent that was given by the account or a profile.
Reasons FaultsOfConsent(const View& view, const ScopeFacts& scope, const PurposeChoice& consent, Purpose purpose) {
  Reasons reasons;
  const Notice* notice = NoticeByNumber(view.rules, consent.notice);
  if (CountsAsAbsent(view, consent, purpose)) reasons.push_back(Reason::kNoConsent);
  if (notice != nullptr) {
    if (HasEnded(view, scope, consent)) reasons.push_back(Reason::kConsentExpired);
    if (IsSuperseded(consent, view.rules, view.now)) reasons.push_back(Reason::kNoticeSuperseded);
    const bool silent = purpose == Purpose::kHumanReview && !notice->says_people_listen;
    if (silent) reasons.push_back(Reason::kNoticeSilentOnPeople);
  }
  const bool must_cover = IsNeeded(view, scope, purpose) || consent.refused_from.IsSet();
  if (view.has_time && must_cover && !ConsentCoversTheCapture(view, consent)) {
    reasons.push_back(Reason::kCapturedBeforeConsent);
  }
  return reasons;
}

void Append(Reasons* all, const Reasons& more) { all->insert(all->end(), more.begin(), more.end()); }

}  // namespace

Reasons RowE8(const View& view, Purpose purpose) {
  Reasons reasons;
  for (const ScopeFacts& scope : view.NamedScopes()) {
    const PurposeChoice says = Says(scope, purpose, view.rules);
    if (says.choice == Choice::kRefused) reasons.push_back(Reason::kRefused);
    if (says.choice == Choice::kWithdrawn) reasons.push_back(Reason::kWithdrawn);
    if (RefusedAtTheCapture(view, says)) reasons.push_back(Reason::kCapturedWhileRefused);
  }
  return reasons;
}

Reasons RowE9(const View& view, Purpose purpose) {
  Reasons reasons;
  // A purpose that the policy does not use is never eligible, whatever was chosen.
  if (!view.rules.purposes.Has(purpose) && view.subject != nullptr) reasons.push_back(Reason::kNoConsent);
  for (const ScopeFacts& account : view.accounts) {
    const PurposeChoice says = Says(account, purpose, view.rules);
    if (says.choice == Choice::kUnset && IsNeeded(view, account, purpose)) reasons.push_back(Reason::kNoConsent);
    if (says.choice == Choice::kGiven) Append(&reasons, FaultsOfConsent(view, account, says, purpose));
  }
  for (const ScopeFacts& profile : view.profiles) {
    const PurposeChoice says = Says(profile, purpose, view.rules);
    if (says.choice == Choice::kGiven) Append(&reasons, FaultsOfConsent(view, profile, says, purpose));
    if (says.choice != Choice::kUnset || view.IsChild(profile)) continue;
    if (IsNeeded(view, profile, purpose)) reasons.push_back(Reason::kProfileWithoutConsent);
  }
  // A device's consent is never needed; but one that had refused and has agreed since has agreed from then on.
  for (const ScopeFacts& device : view.devices) {
    const PurposeChoice says = Says(device, purpose, view.rules);
    if (says.choice == Choice::kGiven && says.unconfirmed) reasons.push_back(Reason::kNoConsent);
    const bool refused_before = says.refused_from.IsSet() && !says.end_was_expiry;
    if (says.choice != Choice::kGiven || !refused_before) continue;
    if (view.has_time && !ConsentCoversTheCapture(view, says)) reasons.push_back(Reason::kCapturedBeforeConsent);
  }
  return reasons;
}

Reasons RowE9OfCopies(const View& view) {
  const Purpose made_for = view.recording.made_for;
  if (view.subject == nullptr || view.recording.artefact == domain::Artefact::kSource || !domain::IsPurpose(made_for)) {
    return {};
  }
  for (const ScopeFacts& scope : view.NamedScopes()) {
    const PurposeChoice says = Says(scope, made_for, view.rules);
    if (says.choice == Choice::kGiven && says.unconfirmed) return {Reason::kNoConsent};
  }
  return {};
}

bool EligibleByConsent(const View& view, Purpose purpose) {
  for (const ScopeFacts& scope : view.NamedScopes()) {
    if (scope.kind == ScopeKind::kDevice) continue;
    const PurposeChoice says = Says(scope, purpose, view.rules);
    if (says.choice != Choice::kGiven || !ConsentCoversTheCapture(view, says)) return false;
  }
  return true;
}

}  // namespace consent::model
