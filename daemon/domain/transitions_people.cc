// Who lives behind an account: region, profiles, devices.
#include <algorithm>

#include "daemon/domain/effective.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain::internal {
namespace {

template <typename T>
bool IsSubset(const std::vector<T>& inner, const std::vector<T>& outer) {
  return std::includes(outer.begin(), outer.end(), inner.begin(), inner.end());
}

// Every answer under `b` is no or the same as under `a`.
bool IsAtLeastAsStrict(const Regime& b, const Regime& a) {
  const bool defaults = b.default_rule == DefaultRule::kOptIn || a.default_rule == DefaultRule::kOptOut;
  const auto within = [](const Countries& inner, const Countries& outer) {
    return outer.any || (!inner.any && IsSubset(inner.named, outer.named));
  };
  const bool countries = std::all_of(kAllPurposes.begin(), kAllPurposes.end(),
                                     [&](Purpose p) { return within(b.CountriesFor(p), a.CountriesFor(p)); });
  const bool sites = a.any_site || (!b.any_site && IsSubset(b.sites, a.sites));
  const bool reviewers = (a.employees || !b.employees) && (a.contractors || !b.contractors);
  const bool voices = (a.allow_several_speakers || !b.allow_several_speakers) &&
                      (a.allow_unmatched_speakers || !b.allow_unmatched_speakers) &&
                      (a.allow_unidentified_single_adult || !b.allow_unidentified_single_adult);
  return defaults && countries && sites && reviewers && voices && b.false_wake_ttl <= a.false_wake_ttl &&
         b.child_inactive_months <= a.child_inactive_months && b.child_notice_period <= a.child_notice_period;
}

// Nobody is an adult earlier by `b` than by `a`, whatever either was before.
bool IsNeverLower(const AgeOfConsent& b, const AgeOfConsent& a) {
  const auto lower = [](const AgeOfConsent::Step& x, const AgeOfConsent::Step& y) { return x.years < y.years; };
  const auto lowest = std::min_element(b.steps().begin(), b.steps().end(), lower);
  const auto highest = std::max_element(a.steps().begin(), a.steps().end(), lower);
  return a == b || lowest->years >= highest->years;
}

bool MovingIsRestriction(Region from, Region to, const Rules& rules) {
  const RegionRules a = rules.ForRegion(from);
  const RegionRules b = rules.ForRegion(to);
  if (!IsAtLeastAsStrict(rules.regimes[b.regime], rules.regimes[a.regime])) return false;
  const bool still_opt_out = rules.regimes[b.regime].default_rule == DefaultRule::kOptOut;
  if (still_opt_out && b.opt_out_since < a.opt_out_since) return false;
  if (!IsNeverLower(rules.AgeOfConsentIn(to), rules.AgeOfConsentIn(from))) return false;
  for (const Purpose purpose : kAllPurposes) {
    const SuspensionState old_state = SuspensionOf(purpose, from, rules);
    const SuspensionState new_state = SuspensionOf(purpose, to, rules);
    if ((old_state.active && !new_state.active) || (old_state.ever && !new_state.ever) || new_state.last_end < old_state.last_end) {
      return false;
    }
  }
  return true;
}

// True where the person is never an adult earlier under `b` than under `a`, whatever the age of consent.
bool AgeIsRestriction(const Age& b, const Age& a) {
  if (b.kind == AgeKind::kUnknown || b.kind == AgeKind::kChild) return true;
  if (a.kind == AgeKind::kAdult) return true;
  return a.kind == AgeKind::kBorn && b.kind == AgeKind::kBorn && b.born >= a.born;
}

bool SameAge(const Age& a, const Age& b) { return a.kind == b.kind && (a.kind != AgeKind::kBorn || a.born == b.born); }

void RecordScope(Applying& applying, ChangedWhat what, const ScopeRef& scope) {
  FactChange change;
  change.what = what;
  change.scope = scope;
  applying.Record(std::move(change));
}

// Whose consent an age gives: a person's age and the age of consent that it is measured by.
struct Measured {
  const Age& age;
  const AgeOfConsent& by;
};

// A consent that coming of age has ended. `at_home`: by the subject's own region, where guardians' consents end.
bool EndedByAge(const PurposeChoice& consent, const Measured& person, bool at_home, Instant now) {
  const Instant adult_from = AdultFrom(person.age, person.by);
  if (!consent.by_guardian) return adult_from <= now && consent.since < adult_from;
  return at_home && (adult_from <= now || consent.since < ChildAgainSince(person.age, person.by));
}

// What coming of age had ended stays ended when a corrected age or a higher age of consent makes a child of an adult: otherwise a
// restriction would bring it back.
void KeepEnded(Applying& applying, ScopeFacts& scope, const Measured& before, const Measured& after, bool at_home) {
  const Instant now = applying.moment.time;
  for (const Purpose purpose : kAllPurposes) {
    PurposeChoice& choice = scope.ChoiceFor(purpose);
    if (choice.choice != Choice::kGiven || !EndedByAge(choice, before, at_home, now) || EndedByAge(choice, after, at_home, now)) continue;
    choice = PurposeChoice{};
    choice.choice = Choice::kWithdrawn;
    choice.since = now;
    FactChange change;
    change.scope = ScopeRef{scope.kind, scope.handle};
    change.purpose = purpose;
    change.from = Choice::kGiven;
    change.to = Choice::kWithdrawn;
    applying.Record(std::move(change));
  }
}

PartOutcome AddProfile(Applying& applying, const ProfileCommand& profile) {
  const ScopeRef ref{ScopeKind::kProfile, profile.profile.bytes};
  const Age age = profile.age.value_or(Age{});
  const bool is_child = applying.moment.time < AdultFrom(age, applying.rules.AgeOfConsentIn(applying.result.after.region));
  // Naming it was a missing fact; a child stays ineligible until its guardian consents, which is a loosening of its own.
  if (!is_child || age.kind == AgeKind::kBorn) {
    PartOutcome gate = MayLoosen(applying, true);
    if (gate.refusal != Refusal::kNone) return gate;
  }
  if (CountScopes(applying.result.after, ScopeKind::kProfile, true) >= kMaxProfiles) return Refused(Refusal::kSubjectFull);
  ScopeFacts* scope = FindOrCreate(applying, ref);
  if (scope == nullptr) return Refused(Refusal::kSubjectFull);
  scope->registered = true;
  scope->age = age;
  scope->age.adult_since = Instant{};
  scope->default_from = applying.moment.time;
  scope->last_active = profile.last_active.IsSet() ? std::min(profile.last_active, applying.moment.time) : applying.moment.time;
  if (profile.guardian) {
    scope->guardian = *profile.guardian;
    scope->guardian_since = applying.moment.time;
  }
  RecordScope(applying, ChangedWhat::kScopeAdded, ref);
  return Applied(true);
}

// The later of two, where there are two.
std::optional<base::Date> Later(std::optional<base::Date> a, std::optional<base::Date> b) { return std::max(a, b); }

PartOutcome ChangeAge(Applying& applying, ScopeFacts& scope, Age age) {
  if (SameAge(scope.age, age)) return Applied(false);
  const Age before = scope.age;
  const Instant now = applying.moment.time;
  const AgeOfConsent& at_home = applying.rules.AgeOfConsentIn(applying.result.after.region);
  age.adult_since = before.adult_since;
  age.born_before = before.born_before;
  if (!AgeIsRestriction(age, before)) {
    PartOutcome gate = MayLoosen(applying, false);
    if (gate.refusal != Refusal::kNone) return gate;
    if (AdultFrom(before, at_home) <= now) {
      // An adult's age was corrected: what an adult consented to goes on, and no capture becomes an adult's that was not.
      if (before.kind == AgeKind::kBorn) age.born_before = Later(before.born_before, before.born);
    } else {
      age.adult_since = now;
      age.born_before.reset();
      scope.default_from = now;
    }
  }
  scope.age = age;
  RecordScope(applying, ChangedWhat::kAge, ScopeRef{scope.kind, scope.handle});
  KeepEnded(applying, scope, {before, at_home}, {age, at_home}, true);
  // By any other age of consent too: a capture elsewhere is judged by the higher of two.
  const auto keep_ended = [&](const AgeOfConsent& any) { KeepEnded(applying, scope, {before, any}, {age, any}, false); };
  keep_ended(applying.rules.default_age_of_consent);
  for (const auto& [country, any] : applying.rules.ages_of_consent) keep_ended(any);
  return Applied(true);
}

PartOutcome ChangeGuardian(Applying& applying, ScopeFacts& scope, base::GuardianHandle guardian) {
  if (scope.guardian == guardian) return Applied(false);
  if (guardian.IsSet()) {
    PartOutcome gate = MayLoosen(applying, false);
    if (gate.refusal != Refusal::kNone) return gate;
  }
  scope.guardian = guardian;
  scope.guardian_since = applying.moment.time;
  RecordScope(applying, ChangedWhat::kGuardian, ScopeRef{scope.kind, scope.handle});
  return Applied(true);
}

const Regime& HomeRegime(const Applying& applying) {
  return applying.rules.regimes[applying.rules.ForRegion(applying.result.after.region).regime];
}

// When the period after the notice about a child's inactivity ended, which purged what was recorded before; unset: it did not.
Instant InactivityPurge(const Applying& applying, const ScopeFacts& scope) {
  const Regime& regime = HomeRegime(applying);
  if (!scope.last_active.IsSet() || !scope.inactivity_notice.IsSet()) return Instant{};
  if (scope.inactivity_notice < base::AddMonths(scope.last_active, regime.child_inactive_months)) return Instant{};
  const Instant purged_at = scope.inactivity_notice + regime.child_notice_period;
  return purged_at <= applying.moment.time ? purged_at : Instant{};
}

PartOutcome NoteActivity(Applying& applying, ScopeFacts& scope, Instant last_active) {
  last_active = std::min(last_active, applying.moment.time);
  if (last_active <= scope.last_active) return Applied(false);
  const Regime& regime = HomeRegime(applying);
  // A capture elsewhere is judged by the shorter period of two regimes, so the shortest of all says whether an answer may change.
  int shortest = regime.child_inactive_months;
  for (const Regime& other : applying.rules.regimes) shortest = std::min(shortest, other.child_inactive_months);
  if (scope.last_active.IsSet() && base::AddMonths(scope.last_active, shortest) <= applying.moment.time) {
    PartOutcome gate = MayLoosen(applying, false);
    if (gate.refusal != Refusal::kNone) return gate;
    scope.purge_floor = std::max(scope.purge_floor, InactivityPurge(applying, scope));
  }
  scope.last_active = last_active;
  scope.inactivity_notice = Instant{};
  RecordScope(applying, ChangedWhat::kActivity, ScopeRef{scope.kind, scope.handle});
  return Applied(true);
}

void Merge(PartOutcome& into, PartOutcome part) {
  into.changed = into.changed || part.changed;
  if (into.refusal == Refusal::kNone) {
    into.refusal = part.refusal;
    into.detail = std::move(part.detail);
  }
}

}  // namespace

PartOutcome ApplyRegion(Applying& applying, Region region) {
  SubjectFacts& facts = applying.after();
  if (facts.region == region) return Applied(false);
  const bool registering = applying.command.registers && !applying.before.registered;
  const bool restriction = !registering && MovingIsRestriction(facts.region, region, applying.rules);
  if (!restriction) {
    PartOutcome gate = MayLoosen(applying, true);
    if (gate.refusal != Refusal::kNone) return gate;
    facts.default_from = applying.moment.time;
  }
  FactChange change;
  change.what = ChangedWhat::kRegion;
  applying.Record(std::move(change));
  for (ScopeFacts& scope : facts.scopes) {
    if (scope.kind != ScopeKind::kProfile) continue;
    const AgeOfConsent& from = applying.rules.AgeOfConsentIn(facts.region);
    KeepEnded(applying, scope, {scope.age, from}, {scope.age, applying.rules.AgeOfConsentIn(region)}, true);
  }
  facts.region = region;
  return Applied(true);
}

PartOutcome ApplyProfile(Applying& applying, const ProfileCommand& profile) {
  ScopeFacts* scope = applying.after().Find(ScopeKind::kProfile, profile.profile.bytes);
  if (scope == nullptr || !scope->registered) return AddProfile(applying, profile);
  PartOutcome outcome = Applied(false);
  if (profile.age) Merge(outcome, ChangeAge(applying, *scope, *profile.age));
  if (profile.guardian) Merge(outcome, ChangeGuardian(applying, *scope, *profile.guardian));
  if (profile.last_active.IsSet()) Merge(outcome, NoteActivity(applying, *scope, profile.last_active));
  return outcome;
}

PartOutcome ApplyDevice(Applying& applying, base::DeviceHandle device) {
  const ScopeRef ref{ScopeKind::kDevice, device.bytes};
  const ScopeFacts* existing = applying.after().Find(ref.kind, ref.handle);
  if (existing != nullptr && existing->registered) return Applied(false);
  PartOutcome gate = MayLoosen(applying, true);
  if (gate.refusal != Refusal::kNone) return gate;
  if (CountScopes(applying.result.after, ScopeKind::kDevice, true) >= kMaxProfiles) return Refused(Refusal::kSubjectFull);
  ScopeFacts* scope = FindOrCreate(applying, ref);
  if (scope == nullptr) return Refused(Refusal::kSubjectFull);
  scope->registered = true;
  scope->default_from = applying.moment.time;
  RecordScope(applying, ChangedWhat::kScopeAdded, ref);
  return Applied(true);
}

// A scope that leaves keeps what it refused and what had expired: registered again, it is not asked anew. Consents, retention and
// the person go.
PartOutcome ApplyRemoval(Applying& applying, const ScopeRef& ref) {
  SubjectFacts& facts = applying.after();
  const ScopeFacts* scope = ref.kind == ScopeKind::kAccount ? nullptr : facts.Find(ref.kind, ref.handle);
  if (scope == nullptr || scope->WasRemoved()) return Refused(Refusal::kScopeNotFound);
  PartOutcome gate = MayLoosen(applying, false);
  if (gate.refusal != Refusal::kNone) return gate;
  const Instant now = applying.moment.time;
  ScopeFacts kept;
  kept.kind = scope->kind;
  kept.handle = scope->handle;
  kept.refused_all_since = scope->refused_all_since;
  kept.refused_controls = scope->refused_controls;
  kept.purge_floor = std::max({scope->purge_floor, ExpiredUpTo(scope->retention, now), InactivityPurge(applying, *scope)});
  bool keeps = kept.refused_all_since.IsSet() || !kept.refused_controls.empty() || kept.purge_floor.IsSet();
  for (const Purpose purpose : kAllPurposes) {
    if (!SaysNo(scope->ChoiceFor(purpose).choice)) continue;
    kept.ChoiceFor(purpose) = scope->ChoiceFor(purpose);
    keeps = true;
  }
  kept.default_from = now;
  const auto at = facts.scopes.begin() + (scope - facts.scopes.data());
  if (keeps) {
    *at = std::move(kept);
  } else {
    facts.scopes.erase(at);
  }
  RecordScope(applying, ChangedWhat::kScopeRemoved, ref);
  return Applied(true);
}

}  // namespace consent::domain::internal
