// Who lives behind an account: region, profiles, devices.
#include <algorithm>

#include "daemon/domain/child_inactivity.h"
#include "daemon/domain/effective.h"
#include "daemon/domain/standards.h"
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
    if ((old_state.active && !new_state.active) || (old_state.ever && !new_state.ever) ||
        new_state.last_end < old_state.last_end) {
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

// A guardian's consent that the child's coming of age, where it lives, has ended.
bool EndedByAge(const PurposeChoice& consent, const Age& age, const AgeOfConsent& by, Instant now) {
  return AdultFrom(age, by) <= now || CountsFrom(consent) < ChildAgainSince(age, by);
}

// A person's age, and the age of consent that it is measured by.
struct Measured {
  Age age;
  const AgeOfConsent& by;
};

// A guardian's consent that had ended stays ended when a corrected age or a move makes a child again: otherwise a
// restriction would bring it back. One that would last longer by it the guardian must give again, unless the change was
// made as a loosening is. An adult's own only stops counting meanwhile, which is computed: nobody said so.
void KeepEnded(const TransitionBuilder& builder, ScopeFacts& scope, const Measured& before, const Measured& after) {
  const base::Now& now = builder.moment.now;
  const auto is_revived = [&](const PurposeChoice& choice, Instant at) {
    return EndedByAge(choice, before.age, before.by, at) && !EndedByAge(choice, after.age, after.by, at);
  };
  const bool lasts_longer = AdultFrom(after.age, after.by) > AdultFrom(before.age, before.by);
  const bool as_loosening = !builder.IsImport() && MayLoosen(builder, false).refusal == Refusal::kNone;
  for (const Purpose purpose : kAllPurposes) {
    PurposeChoice& choice = scope.ChoiceFor(purpose);
    if (choice.choice != Choice::kGiven || !choice.by_guardian) continue;
    // What has ended is purged, so it must have ended surely; what may have ended only waits for the guardian to say it
    // again.
    if (is_revived(choice, now.earliest)) {
      choice.has_ended = true;
    } else if (is_revived(choice, now.latest) || (lasts_longer && !as_loosening)) {
      scope.guardian_since = builder.moment.time;
    }
  }
}

// After a suspension only choices made since its end count, and moving away from it is no such choice.
void KeepSuspended(const TransitionBuilder& builder, ScopeFacts& scope) {
  for (const Purpose purpose : kAllPurposes) {
    PurposeChoice& choice = scope.ChoiceFor(purpose);
    if (choice.choice != Choice::kGiven) continue;
    const SuspensionState here = SuspensionOf(purpose, builder.result.after.region, builder.rules);
    choice.was_suspended = choice.was_suspended || here.active || CountsFrom(choice) < here.last_end;
  }
}

// Two accounts that lived in two regions were joined, and nobody has said since where the joined one lives.
bool LivesInSeveral(const SubjectFacts& facts) {
  const auto& former = facts.former_regions;
  return std::any_of(former.begin(), former.end(), [](const FormerRegion& one) { return one.until == kStillThere; });
}

// What was captured until now goes on to be judged by the region that is left, too.
void RememberRegion(SubjectFacts& facts, Instant now) {
  auto& former = facts.former_regions;
  for (FormerRegion& one : former) one.until = std::min(one.until, now);
  const auto is_this = [&facts](const FormerRegion& one) { return one.region == facts.region && !one.several; };
  former.erase(std::remove_if(former.begin(), former.end(), is_this), former.end());
  former.push_back({facts.region, now});
  if (former.size() <= kMaxFormerRegions) return;
  // The two that were left first become one of which nothing else is known.
  former.erase(former.begin());
  former.front() = {Region{}, former.front().until, true};
}

void NameGuardian(TransitionBuilder& builder, ScopeFacts& scope, base::GuardianHandle guardian) {
  scope.guardian = guardian;
  scope.guardian_since = builder.moment.time;
}

// The record still knows that somebody removed it.
bool IsRemovalUndoneByImport(const TransitionBuilder& builder, const ScopeRef& ref) {
  const ScopeFacts* scope = builder.result.after.Find(ref.kind, ref.handle);
  if (!builder.IsImport()) return false;
  // Of those that are folded together nobody knows which they were.
  return scope == nullptr ? builder.result.after.Find(ref.kind, base::Bytes16{}) != nullptr : scope->WasRemoved();
}

PartOutcome AddProfile(TransitionBuilder& builder, const ProfileCommand& profile) {
  const ScopeRef ref{ScopeKind::kProfile, profile.profile.bytes};
  if (IsRemovalUndoneByImport(builder, ref)) return Refused(Refusal::kImportCannotLoosen, "the profile's removal");
  const Age age = profile.age.value_or(Age{});
  const bool is_child = builder.moment.time < AdultFrom(age, builder.rules.AgeOfConsentIn(builder.result.after.region));
  // Naming it was a missing fact; a child stays ineligible until its guardian consents, which is a loosening of its
  // own.
  if (!is_child || age.kind == AgeKind::kBorn) {
    PartOutcome gate = MayLoosen(builder, true);
    if (gate.refusal != Refusal::kNone) return gate;
  }
  // Nobody knows any more whether who was removed was a child.
  const ScopeFacts* known = builder.result.after.Find(ref.kind, ref.handle);
  if (known == nullptr) known = builder.result.after.Find(ref.kind, base::Bytes16{});
  const bool was_here = known != nullptr && known->WasRemoved();
  ScopeFacts* scope = Register(builder, ref);
  if (scope == nullptr) return Refused(Refusal::kSubjectFull);
  scope->age = age;
  scope->age.adult_since = was_here ? builder.moment.time : Instant{};
  scope->last_active =
      profile.last_active.IsSet() ? std::min(profile.last_active, builder.moment.time) : builder.moment.time;
  if (profile.guardian && is_child) NameGuardian(builder, *scope, *profile.guardian);
  return Applied(true);
}

// The later of two, where there are two.
std::optional<base::Date> Later(std::optional<base::Date> a, std::optional<base::Date> b) { return std::max(a, b); }

PartOutcome ChangeAge(TransitionBuilder& builder, ScopeFacts& scope, Age age) {
  if (SameAge(scope.age, age)) return Applied(false);
  const Age before = scope.age;
  const Instant now = builder.moment.time;
  const AgeOfConsent& at_home = builder.AgeAtHome();
  age.adult_since = before.adult_since;
  age.born_before = before.born_before;
  if (!AgeIsRestriction(age, before)) {
    if (builder.IsImport() && before.kind != AgeKind::kUnknown) {
      return Refused(Refusal::kImportCannotLoosen, "another age");
    }
    PartOutcome gate = MayLoosen(builder, false);
    if (gate.refusal != Refusal::kNone) return gate;
    if (AdultFrom(before, at_home) <= now) {
      // An adult's age was corrected: what an adult consented to goes on, and no capture becomes an adult's that was
      // not.
      if (before.kind == AgeKind::kBorn) age.born_before = Later(before.born_before, before.born);
    } else {
      age.adult_since = now;
      age.born_before.reset();
      scope.default_from = now;
    }
  }
  scope.age = age;
  RecordScope(builder, ChangedWhat::kAge, ScopeRef{scope.kind, scope.handle}, !AgeIsRestriction(age, before));
  KeepEnded(builder, scope, {before, at_home}, {age, at_home});
  return Applied(true);
}

PartOutcome ChangeGuardian(TransitionBuilder& builder, ScopeFacts& scope, base::GuardianHandle guardian) {
  // An adult has none.
  if (scope.guardian == guardian || (guardian.IsSet() && builder.IsAdultAtHome(scope))) return Applied(false);
  if (guardian.IsSet()) {
    const bool was_said = scope.guardian_since.IsSet();
    if (builder.IsImport() && was_said) {
      return Refused(Refusal::kImportCannotLoosen, "another guardian, or that there is none");
    }
    PartOutcome gate = MayLoosen(builder, false);
    if (gate.refusal != Refusal::kNone) return gate;
  }
  NameGuardian(builder, scope, guardian);
  RecordScope(builder, ChangedWhat::kGuardian, ScopeRef{scope.kind, scope.handle}, guardian.IsSet());
  return Applied(true);
}

const Regime& HomeRegime(const TransitionBuilder& builder) {
  return builder.rules.regimes[builder.rules.ForRegion(builder.result.after.region).regime];
}

PartOutcome NoteActivity(TransitionBuilder& builder, ScopeFacts& scope, Instant last_active) {
  last_active = std::min(last_active, builder.moment.time);
  if (last_active <= scope.last_active) return Applied(false);
  if (builder.IsImport() && scope.last_active.IsSet()) {
    return Refused(Refusal::kImportCannotLoosen, "an earlier activity");
  }
  const Regime& regime = HomeRegime(builder);
  // A capture elsewhere is judged by the shorter period of two regimes, so the shortest of all says whether an answer
  // may change.
  int shortest = regime.child_inactive_months;
  for (const Regime& other : builder.rules.regimes) shortest = std::min(shortest, other.child_inactive_months);
  if (scope.last_active.IsSet() && base::AddMonths(scope.last_active, shortest) <= builder.moment.time) {
    PartOutcome gate = MayLoosen(builder, false);
    if (gate.refusal != Refusal::kNone) return gate;
    scope.purge_floor = std::max(scope.purge_floor, InactivityPurge(builder, scope));
  }
  scope.last_active = last_active;
  scope.inactivity_notice = Instant{};
  RecordScope(builder, ChangedWhat::kActivity, ScopeRef{scope.kind, scope.handle}, /*loosens=*/true);
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

bool TransitionBuilder::IsAdultAtHome(const ScopeFacts& profile) const {
  return AdultFrom(profile.age, AgeAtHome()) <= moment.time;
}

void RecordScope(TransitionBuilder& builder, ChangedWhat what, const ScopeRef& scope, bool loosens) {
  FactChange change;
  change.what = what;
  change.scope = scope;
  change.loosens = loosens;
  builder.Record(std::move(change));
}

PartOutcome ApplyChildNotice(TransitionBuilder& builder, base::ProfileHandle profile) {
  const Moment& moment = builder.moment;
  if (moment.now.doubtful) return Refused(Refusal::kClockDoubtful);
  if (moment.now.behind) return Refused(Refusal::kClockBehind);
  ScopeFacts* scope = builder.after().Find(ScopeKind::kProfile, profile.bytes);
  if (scope == nullptr || !scope->registered) return Refused(Refusal::kScopeNotFound);
  switch (InactivityOf(builder.after(), *scope, moment.now, builder.rules).due) {
    case ChildDue::kNone:
      return Refused(Refusal::kChildNotInactive);
    case ChildDue::kAnswer:
    case ChildDue::kPurge:
      return Applied(false);
    case ChildDue::kNotice:
      break;
  }
  scope->inactivity_notice = std::max(moment.time, moment.now.latest);
  RecordScope(builder, ChangedWhat::kChildNotice, ScopeRef{scope->kind, scope->handle}, /*loosens=*/false);
  return Applied(true);
}

Instant InactivityPurge(const TransitionBuilder& builder, const ScopeFacts& scope) {
  const Regime& regime = HomeRegime(builder);
  if (!scope.last_active.IsSet() || !scope.inactivity_notice.IsSet()) return Instant{};
  if (scope.inactivity_notice < base::AddMonths(scope.last_active, regime.child_inactive_months)) return Instant{};
  const Instant purged_at = scope.inactivity_notice + regime.child_notice_period;
  return purged_at <= builder.moment.now.earliest ? purged_at : Instant{};
}

PartOutcome ApplyRegion(TransitionBuilder& builder, Region region) {
  SubjectFacts& facts = builder.after();
  const bool in_several = LivesInSeveral(facts);
  if (facts.region == region && !in_several) return Applied(false);
  if (!builder.rules.MayLiveIn(region)) return Refused(Refusal::kUnknownRegion, WhyNotAssigned(region));
  const bool loosens = in_several || !MovingIsRestriction(facts.region, region, builder.rules);
  // An import fills what is unset. Beside that it says noes, and one that is as strict is none.
  const bool is_a_no = !loosens && !MovingIsRestriction(region, facts.region, builder.rules);
  if (builder.IsImport() && facts.region.IsSet() && !is_a_no) {
    return Refused(Refusal::kImportCannotLoosen, "another region");
  }
  if (loosens) {
    PartOutcome gate = MayLoosen(builder, true);
    if (gate.refusal != Refusal::kNone) return gate;
  }
  facts.left_a_default = MayHaveHadDefault(facts, builder.rules);
  // A default counts from the change that made it apply, be it the stricter one.
  facts.default_from = builder.moment.time;
  FactChange change;
  change.what = ChangedWhat::kRegion;
  change.loosens = loosens;
  builder.Record(std::move(change));
  const AgeOfConsent& age_there = builder.rules.AgeOfConsentIn(region);
  for (ScopeFacts& scope : facts.scopes) {
    KeepSuspended(builder, scope);
    if (scope.kind != ScopeKind::kProfile) continue;
    if (loosens) scope.purge_floor = std::max(scope.purge_floor, InactivityPurge(builder, scope));
    KeepEnded(builder, scope, {scope.age, builder.AgeAtHome()}, {scope.age, age_there});
    // Who was a child until now is an adult from now on, whatever the age there says of the time before.
    const bool comes_of_age = !builder.IsAdultAtHome(scope) && AdultFrom(scope.age, age_there) <= builder.moment.time;
    if (comes_of_age && scope.age.kind == AgeKind::kBorn) scope.age.adult_since = builder.moment.time;
  }
  if (loosens && facts.registered && !builder.result.registered_now) RememberRegion(facts, builder.moment.time);
  facts.region = region;
  return Applied(true);
}

PartOutcome ApplyProfile(TransitionBuilder& builder, const ProfileCommand& profile) {
  ScopeFacts* scope = builder.after().Find(ScopeKind::kProfile, profile.profile.bytes);
  if (scope == nullptr || !scope->registered) return AddProfile(builder, profile);
  PartOutcome outcome = Applied(false);
  if (profile.age) Merge(outcome, ChangeAge(builder, *scope, *profile.age));
  if (profile.guardian) Merge(outcome, ChangeGuardian(builder, *scope, *profile.guardian));
  if (profile.last_active.IsSet()) Merge(outcome, NoteActivity(builder, *scope, profile.last_active));
  return outcome;
}

PartOutcome ApplyDevice(TransitionBuilder& builder, base::DeviceHandle device) {
  const ScopeRef ref{ScopeKind::kDevice, device.bytes};
  const ScopeFacts* existing = builder.after().Find(ref.kind, ref.handle);
  if (existing != nullptr && existing->registered) return Applied(false);
  if (IsRemovalUndoneByImport(builder, ref)) return Refused(Refusal::kImportCannotLoosen, "the device's removal");
  PartOutcome gate = MayLoosen(builder, true);
  if (gate.refusal != Refusal::kNone) return gate;
  return Register(builder, ref) != nullptr ? Applied(true) : Refused(Refusal::kSubjectFull);
}

void DropGuardiansOfAdults(TransitionBuilder& builder) {
  if (builder.moment.now.doubtful) return;
  for (ScopeFacts& scope : builder.after().scopes) {
    const bool has_one = scope.guardian.IsSet() || scope.guardian_since.IsSet();
    if (!has_one || !builder.IsAdultAtHome(scope)) continue;
    scope.guardian = base::GuardianHandle{};
    scope.guardian_since = Instant{};
    RecordScope(builder, ChangedWhat::kGuardian, ScopeRef{scope.kind, scope.handle}, /*loosens=*/false);
  }
}

}  // namespace consent::domain::internal
