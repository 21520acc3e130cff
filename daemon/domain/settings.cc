#include "daemon/domain/settings.h"

#include <algorithm>

#include "daemon/domain/decide.h"
#include "daemon/domain/effective.h"

namespace consent::domain {
namespace {

// A place that the regime of `region` allows, so that the place does not colour the answer.
Place AllowedPlace(Region region, Purpose purpose, const Rules& rules) {
  const Regime& regime = rules.regimes[rules.ForRegion(region).regime];
  Place place;
  const Countries& countries = regime.CountriesFor(purpose);
  if (!countries.named.empty()) {
    place.country = countries.named.front();
  } else {
    Region::Parse("DE", &place.country);  // any that is one
  }
  if (!regime.sites.empty()) place.site = regime.sites.front();
  place.reviewer_class = regime.employees ? ReviewerClass::kEmployee : ReviewerClass::kContractor;
  return place;
}

// The facts with the one scope that is asked about; others must not colour the answer.
SubjectFacts OnlyThisScope(const SubjectFacts& subject, const ScopeFacts& scope) {
  SubjectFacts one = subject;
  one.scopes.resize(1);
  one.tombstones.clear();
  one.has_more_tombstones = false;
  one.holds.clear();
  if (scope.kind == ScopeKind::kAccount) {
    // The account alone, spoken to by an adult who chose as it did.
    ScopeFacts nobody = scope;
    nobody.kind = ScopeKind::kProfile;
    nobody.registered = true;
    nobody.age.kind = AgeKind::kAdult;
    one.scopes.push_back(nobody);
  } else {
    one.scopes.push_back(scope);
  }
  return one;
}

}  // namespace

Instant MayAskAgainAt(const PurposeChoice& choice, Region region, const Rules& rules) {
  if (!SaysNo(choice.choice)) return Instant{};
  if (!choice.since.IsSet()) return base::kLastInstant;
  const Span wait = rules.regimes[rules.ForRegion(region).regime].ask_again_after;
  if (base::kLastInstant - choice.since < wait) return base::kLastInstant;
  return choice.since + wait;
}

PurposeState StateOf(const SubjectFacts& subject, size_t index, Purpose purpose, const base::Now& now,
                     const Rules& rules) {
  const ScopeFacts& scope = subject.scopes[index];
  PurposeState state;
  state.scope = index;
  state.purpose = purpose;
  state.choice = EffectiveChoice(scope, purpose, rules);

  SubjectFacts one = OnlyThisScope(subject, scope);
  RecordingFacts recording;
  recording.captured_at = now.latest;
  recording.has_uncertainty = true;
  recording.wake = Wake::kIntended;
  recording.kind = Kind::kCommand;
  recording.speakers = Speakers::kOne;
  recording.identity = Identity::kMatched;
  recording.age = SpeakerAge::kAdult;
  if (scope.kind == ScopeKind::kDevice) {
    ScopeFacts speaker = subject.account();
    speaker.kind = ScopeKind::kProfile;
    speaker.registered = true;
    speaker.age.kind = AgeKind::kAdult;
    recording.device.bytes = scope.handle;
    one.scopes.push_back(speaker);
    recording.profiles.push_back(base::ProfileHandle{speaker.handle});
  } else {
    recording.profiles.push_back(base::ProfileHandle{one.scopes[1].handle});
  }
  const Place place = AllowedPlace(subject.region, purpose, rules);
  const Decision decision = Decide(&one, RecordingState{}, Question{recording, purpose, place, now}, rules);
  state.on = decision.eligibility == Eligibility::kEligible;
  state.reason = decision.FirstReason();
  state.may_ask_again_at = MayAskAgainAt(state.choice, subject.region, rules);
  return state;
}

std::vector<size_t> AdultProfiles(const SubjectFacts& subject, const base::Now& now, const Rules& rules) {
  std::vector<size_t> adults;
  const AgeOfConsent& at_home = rules.AgeOfConsentIn(subject.region);
  for (size_t i = 0; i < subject.scopes.size(); ++i) {
    const ScopeFacts& scope = subject.scopes[i];
    if (scope.kind != ScopeKind::kProfile || !scope.registered) continue;
    if (AdultFrom(scope.age, at_home) <= now.latest) adults.push_back(i);
  }
  return adults;
}

SubjectFacts OnceRegistered(const SubjectFacts& subject, Instant now) {
  SubjectFacts registered = subject;
  registered.registered = registered.account().registered = true;
  registered.default_from = now;
  return registered;
}

bool IsShown(const ScopeFacts& scope) { return !scope.IsFold() && !scope.IsNothingButRemoved(); }

std::vector<PurposeState> States(const SubjectFacts& subject, const base::Now& now, const Rules& rules) {
  std::vector<PurposeState> states;
  for (size_t scope = 0; scope < subject.scopes.size(); ++scope) {
    if (!IsShown(subject.scopes[scope])) continue;
    for (const Purpose purpose : kAllPurposes) {
      if (rules.purposes.Has(purpose)) states.push_back(StateOf(subject, scope, purpose, now, rules));
    }
  }
  return states;
}

bool IsSummedUp(const PurposeState& state, const SubjectFacts& subject) {
  const ScopeFacts& scope = subject.scopes[state.scope];
  if (SaysNo(state.choice.choice) || scope.kind == ScopeKind::kAccount) return true;
  return scope.kind == ScopeKind::kProfile && scope.registered;
}

Summary Summarise(const std::vector<PurposeState>& states, const SubjectFacts& subject, PurposeSet purposes) {
  Summary summary;
  bool any_on = false;
  bool any_off = false;
  bool have_account = false;
  Reason account_reason = Reason::kNone;
  Reason off_reason = Reason::kNone;
  for (const PurposeState& state : states) {
    if (!purposes.Has(state.purpose)) continue;
    if (!IsSummedUp(state, subject)) continue;
    const ScopeFacts& scope = subject.scopes[state.scope];
    (state.on ? any_on : any_off) = true;
    summary.may_ask_again_at = std::max(summary.may_ask_again_at, state.may_ask_again_at);
    if (!state.on && off_reason == Reason::kNone) off_reason = state.reason;
    if (scope.kind == ScopeKind::kAccount && !have_account) {
      have_account = true;
      account_reason = state.reason;
    }
  }
  if (any_on && any_off) {
    summary.answer = Answer::kPartial;
    summary.reason = off_reason;
  } else {
    summary.answer = any_on ? Answer::kOn : Answer::kOff;
    summary.reason = any_on ? account_reason : off_reason;
  }
  return summary;
}

}  // namespace consent::domain
