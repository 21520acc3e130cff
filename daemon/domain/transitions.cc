#include "daemon/domain/transitions.h"

#include <algorithm>

#include "daemon/domain/effective.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain {
namespace internal {

PartOutcome MayLoosen(const Applying& applying, bool about_people) {
  const Command& command = applying.command;
  if (applying.moment.now.doubtful) return Refused(Refusal::kClockDoubtful);
  if (applying.moment.now.behind) return Refused(Refusal::kClockBehind);
  if (applying.moment.policy_changing) return Refused(Refusal::kPolicyChanging);
  const bool registering = command.registers && !applying.before.registered;
  if (!applying.before.registered && !registering) return Refused(Refusal::kSubjectNotFound);
  const bool needs_etag = registering ? applying.before.revision != 0 && !about_people : true;
  if (needs_etag && !command.expected_revision) return Refused(Refusal::kEtagRequired);
  if (command.expected_revision && *command.expected_revision != applying.before.revision) return Refused(Refusal::kEtagMismatch);
  if (registering && about_people) return Applied(false);
  if (command.proof.channel == Channel::kMissing) return Refused(Refusal::kEvidenceRequired, "channel");
  if (command.proof.actor == Actor::kMissing) return Refused(Refusal::kEvidenceRequired, "actor");
  return Applied(false);
}

size_t CountScopes(const SubjectFacts& facts, ScopeKind kind, bool registered_only) {
  return static_cast<size_t>(std::count_if(facts.scopes.begin(), facts.scopes.end(), [&](const ScopeFacts& scope) {
    return scope.kind == kind && (scope.registered || !registered_only);
  }));
}

ScopeFacts* FindOrCreate(Applying& applying, const ScopeRef& ref) {
  SubjectFacts& facts = applying.after();
  if (ScopeFacts* found = facts.Find(ref.kind, ref.handle)) return found;
  if (CountScopes(facts, ref.kind, false) >= 2 * kMaxProfiles) return nullptr;
  facts.scopes.emplace_back();
  ScopeFacts& scope = facts.scopes.back();
  scope.kind = ref.kind;
  scope.handle = ref.handle;
  return &scope;
}

int Strictness(const Retention& retention) {
  switch (retention.kind) {
    case RetentionKind::kDoNotSave:
      return 0;
    case RetentionKind::kMonths:
      return retention.months;
    case RetentionKind::kUntilDeleted:
      break;
  }
  return INT16_MAX;
}

// AddMonths never decreases, so the last capture whose period is over can be searched for.
Instant ExpiredUpTo(const Retention& retention, Instant now) {
  if (retention.kind == RetentionKind::kUntilDeleted) return Instant{};
  if (retention.kind == RetentionKind::kDoNotSave) return now;
  int64_t low = 0;
  int64_t high = now.micros;
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    if (base::AddMonths(Instant{middle}, retention.months) <= now) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Instant{low};
}

}  // namespace internal

namespace {

using internal::Applied;
using internal::Applying;
using internal::Refused;

PurposeSet PurposesOf(const Target& target, const Rules& rules) {
  PurposeSet purposes;
  switch (target.kind) {
    case TargetKind::kAll:
      for (const Purpose p : kAllPurposes) purposes.Add(p);
      break;
    case TargetKind::kPurpose:
      purposes.Add(target.purpose);
      break;
    case TargetKind::kControl:
      if (const Control* control = rules.FindControl(target.control)) purposes = control->purposes;
      break;
  }
  return purposes;
}

void SetChoice(Applying& applying, ScopeFacts& scope, Purpose purpose, const PurposeChoice& choice, Choice shown_from) {
  scope.ChoiceFor(purpose) = choice;
  FactChange change;
  change.what = ChangedWhat::kPurpose;
  change.scope = ScopeRef{scope.kind, scope.handle};
  change.purpose = purpose;
  change.from = shown_from;
  change.to = choice.choice;
  applying.Record(std::move(change));
}

// Refuses what is added to the target later. True where that is new.
bool RefuseFuture(Applying& applying, ScopeFacts& scope, const Target& target) {
  if (target.kind == TargetKind::kAll) {
    if (scope.refused_all_since.IsSet()) return false;
    scope.refused_all_since = applying.moment.time;
  } else {
    const ControlNumber number = applying.rules.FindControl(target.control)->number;
    for (const ControlRefusal& refusal : scope.refused_controls) {
      if (refusal.control == number) return false;
    }
    scope.refused_controls.push_back(ControlRefusal{number, applying.moment.time});
  }
  FactChange change;
  change.what = ChangedWhat::kRefusesFuture;
  change.scope = ScopeRef{scope.kind, scope.handle};
  applying.Record(std::move(change));
  return true;
}

PartOutcome TurnOff(Applying& applying, const ChoiceCommand& command) {
  if (command.target.kind == TargetKind::kControl && applying.rules.FindControl(command.target.control) == nullptr) {
    return Refused(Refusal::kUnknownControl);
  }
  ScopeFacts* scope = internal::FindOrCreate(applying, command.scope);
  if (scope == nullptr) return Refused(Refusal::kSubjectFull);
  bool changed = false;
  const PurposeSet purposes = PurposesOf(command.target, applying.rules);
  // Who refuses after the removal is heard again.
  const bool returns = scope->WasRemoved();
  if (returns) scope->default_from = Instant{};
  for (const Purpose purpose : kAllPurposes) {
    if (!purposes.Has(purpose)) continue;
    const PurposeChoice now = EffectiveChoice(*scope, purpose, applying.rules);
    if (SaysNo(now.choice) && !returns) continue;
    PurposeChoice refused = now;
    if (!SaysNo(now.choice)) {
      refused = PurposeChoice{};
      refused.choice = now.choice == Choice::kGiven ? Choice::kWithdrawn : Choice::kRefused;
      refused.since = applying.moment.time;
    }
    SetChoice(applying, *scope, purpose, refused, now.choice);
    changed = true;
  }
  if (command.target.kind != TargetKind::kPurpose) changed = RefuseFuture(applying, *scope, command.target) || changed;
  return Applied(changed);
}

// Empty where the notice can be used for a consent at `at`, else why not.
std::string WhyNotUsable(const Notice* notice, const Proof& proof, Instant at) {
  if (notice == nullptr) return "the policy has no such notice";
  if (notice->valid_from > at) return "the notice is not valid yet";
  if (notice->superseded_from <= at) return "the notice is superseded";
  const bool has_language =
      std::find(notice->languages.begin(), notice->languages.end(), proof.notice_language) != notice->languages.end();
  return has_language ? "" : "the notice has no such language";
}

// Who may consent for this scope.
PartOutcome MayConsent(const Applying& applying, const ScopeFacts& scope, const Target& target) {
  const Proof& proof = applying.command.proof;
  if (scope.kind != ScopeKind::kProfile) return Applied(false);
  const bool is_child = applying.moment.time < AdultFrom(scope.age, applying.rules.AgeOfConsentIn(applying.result.after.region));
  if (!is_child) {
    if (proof.actor == Actor::kGuardian) return Refused(Refusal::kEvidenceRequired, "actor SELF or AGENT: an adult consents for themselves");
    return Applied(false);
  }
  if (proof.actor != Actor::kGuardian || !scope.guardian.IsSet() || proof.guardian != scope.guardian) {
    return Refused(Refusal::kGuardianRequired, "the guardian named in the profile");
  }
  if (target.kind != TargetKind::kPurpose) return Refused(Refusal::kGuardianRequired, "a guardian consents purpose by purpose");
  return Applied(false);
}

// A consent that still counts for the same notice keeps its first time.
bool KeepsFirstTime(const Applying& applying, const ScopeFacts& scope, Purpose purpose, const PurposeChoice& now,
                    const Notice& notice, bool by_guardian) {
  if (now.choice != Choice::kGiven || now.notice != notice.number || now.by_guardian != by_guardian) return false;
  if (ConsentEnd(now, applying.rules) <= applying.moment.time) return false;
  const SubjectFacts& facts = applying.result.after;
  if (now.since < SuspensionOf(purpose, facts.region, applying.rules).last_end) return false;
  if (scope.kind != ScopeKind::kProfile) return true;
  const AgeOfConsent& at_home = applying.rules.AgeOfConsentIn(facts.region);
  const Instant adult_from = AdultFrom(scope.age, at_home);
  if (applying.moment.time < adult_from) return now.since >= std::max(scope.guardian_since, ChildAgainSince(scope.age, at_home));
  return now.since >= adult_from;
}

struct TurnedOff {
  ScopeRef scope;
  PurposeSet purposes;
};

// Everything a consent needs before any purpose is looked at.
PartOutcome MayTurnOn(const Applying& applying, const ChoiceCommand& command, const ScopeFacts* scope) {
  if (command.target.kind == TargetKind::kAll) return Refused(Refusal::kAllCannotBeTurnedOn);
  if (command.target.kind == TargetKind::kControl && applying.rules.FindControl(command.target.control) == nullptr) {
    return Refused(Refusal::kUnknownControl);
  }
  PartOutcome gate = internal::MayLoosen(applying, false);
  if (gate.refusal != Refusal::kNone) return gate;
  if (scope == nullptr || !scope->registered) return Refused(Refusal::kScopeNotFound);
  const Proof& proof = applying.command.proof;
  if (proof.notice_version.empty()) return Refused(Refusal::kEvidenceRequired, "notice_version");
  if (proof.notice_language.empty()) return Refused(Refusal::kEvidenceRequired, "notice_language");
  gate = MayConsent(applying, *scope, command.target);
  if (gate.refusal != Refusal::kNone) return gate;
  const Instant given = proof.given_at.IsSet() ? proof.given_at : applying.moment.time;
  std::string why = WhyNotUsable(applying.rules.FindNotice(proof.notice_version), proof, given);
  // What was given elsewhere under an older notice may be imported; it is then superseded like any other.
  if (proof.given_at.IsSet() && proof.channel != Channel::kImport) why = "only an import states when it was given";
  if (!why.empty()) return Refused(Refusal::kNoticeNotUsable, std::move(why));
  return Applied(false);
}

PartOutcome TurnOn(Applying& applying, const ChoiceCommand& command, const std::vector<TurnedOff>& turned_off) {
  ScopeFacts* scope = applying.after().Find(command.scope.kind, command.scope.handle);
  PartOutcome gate = MayTurnOn(applying, command, scope);
  if (gate.refusal != Refusal::kNone) return gate;
  const Proof& proof = applying.command.proof;
  const Notice& notice = *applying.rules.FindNotice(proof.notice_version);
  const PurposeSet asked = PurposesOf(command.target, applying.rules);
  PurposeSet granted;
  granted.bits = asked.bits & notice.purposes.bits & applying.rules.purposes.bits;
  if (granted.Empty()) return Refused(Refusal::kNoticeNotUsable, "the notice does not list the purpose, or the policy does not use it");
  for (const TurnedOff& off : turned_off) {
    if (off.scope == command.scope && (off.purposes.bits & granted.bits) != 0) return Refused(Refusal::kContradiction);
  }
  const bool imported = proof.given_at.IsSet();
  for (const Purpose purpose : kAllPurposes) {
    if (!granted.Has(purpose) || !imported) continue;
    const PurposeChoice now = EffectiveChoice(*scope, purpose, applying.rules);
    const bool was_refused = SaysNo(now.choice) || now.refused_from.IsSet();
    if (was_refused || proof.given_at > applying.moment.time) return Refused(Refusal::kImportNotNewer);
  }
  const bool by_guardian = scope->kind == ScopeKind::kProfile && proof.actor == Actor::kGuardian;
  bool changed = false;
  for (const Purpose purpose : kAllPurposes) {
    if (!granted.Has(purpose)) continue;
    const PurposeChoice now = EffectiveChoice(*scope, purpose, applying.rules);
    if (KeepsFirstTime(applying, *scope, purpose, now, notice, by_guardian)) continue;
    PurposeChoice given;
    given.choice = Choice::kGiven;
    given.by_guardian = by_guardian;
    given.imported = imported;
    given.notice = notice.number;
    given.since = imported ? proof.given_at : applying.moment.time;
    given.refused_from = SaysNo(now.choice) ? now.since : now.refused_from;
    SetChoice(applying, *scope, purpose, given, now.choice);
    changed = true;
  }
  if (command.target.kind == TargetKind::kControl && granted == asked) {
    const ControlNumber number = applying.rules.FindControl(command.target.control)->number;
    auto& refusals = scope->refused_controls;
    refusals.erase(std::remove_if(refusals.begin(), refusals.end(), [&](const ControlRefusal& r) { return r.control == number; }),
                   refusals.end());
  }
  return Applied(changed);
}

bool Offered(const Retention& retention, const Rules& rules) {
  switch (retention.kind) {
    case RetentionKind::kUntilDeleted:
      return rules.offers_until_deleted;
    case RetentionKind::kDoNotSave:
      return rules.offers_do_not_save;
    case RetentionKind::kMonths:
      break;
  }
  return std::binary_search(rules.offered_months.begin(), rules.offered_months.end(), retention.months);
}

PartOutcome ChangeRetention(Applying& applying, const RetentionCommand& command) {
  if (!Offered(command.retention, applying.rules)) return Refused(Refusal::kRetentionNotOffered);
  const ScopeFacts* existing = applying.after().Find(command.scope.kind, command.scope.handle);
  const Retention now = existing != nullptr ? existing->retention : Retention{};
  if (now == command.retention) return Applied(false);
  if (internal::Strictness(command.retention) > internal::Strictness(now)) {
    PartOutcome gate = internal::MayLoosen(applying, false);
    if (gate.refusal != Refusal::kNone) return gate;
  }
  ScopeFacts* scope = internal::FindOrCreate(applying, command.scope);
  if (scope == nullptr) return Refused(Refusal::kSubjectFull);
  // What had expired stays expired.
  scope->purge_floor = std::max(scope->purge_floor, internal::ExpiredUpTo(scope->retention, applying.moment.time));
  scope->retention = command.retention;
  FactChange change;
  change.what = ChangedWhat::kRetention;
  change.scope = command.scope;
  change.retention = command.retention;
  applying.Record(std::move(change));
  return Applied(true);
}

void ApplyChoices(Applying& applying) {
  const std::vector<ChoiceCommand>& choices = applying.command.choices;
  std::vector<PartOutcome> outcomes(choices.size());
  std::vector<TurnedOff> turned_off;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].on) continue;
    outcomes[i] = TurnOff(applying, choices[i]);
    turned_off.push_back(TurnedOff{choices[i].scope, PurposesOf(choices[i].target, applying.rules)});
  }
  for (size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].on) outcomes[i] = TurnOn(applying, choices[i], turned_off);
  }
  for (PartOutcome& outcome : outcomes) applying.result.parts.push_back(std::move(outcome));
}

}  // namespace

bool Transition::AnyApplied() const {
  return parts.empty() ||
         std::any_of(parts.begin(), parts.end(), [](const PartOutcome& part) { return part.refusal == Refusal::kNone; });
}

Transition Apply(const SubjectFacts& before, const Command& command, const Moment& moment, const Rules& rules) {
  Transition result;
  result.after = before;
  Applying applying{before, command, moment, rules, result};
  if (command.registers && !before.registered) {
    result.registered_now = true;
    result.after.registered = true;
    result.after.account().registered = true;
    result.after.default_from = moment.time;
    if (before.closed_at.IsSet()) result.after.reopened_at = moment.time;
    FactChange change;
    change.what = ChangedWhat::kRegistered;
    applying.Record(std::move(change));
  }
  if (command.region) result.parts.push_back(internal::ApplyRegion(applying, *command.region));
  for (const ProfileCommand& profile : command.profiles) result.parts.push_back(internal::ApplyProfile(applying, profile));
  for (const base::DeviceHandle device : command.devices) result.parts.push_back(internal::ApplyDevice(applying, device));
  for (const ScopeRef& scope : command.removals) result.parts.push_back(internal::ApplyRemoval(applying, scope));
  ApplyChoices(applying);
  for (const RetentionCommand& retention : command.retention) result.parts.push_back(ChangeRetention(applying, retention));
  result.after.revision = moment.sequence;
  return result;
}

RecordingMarks AddFlags(const RecordingMarks& before, uint8_t flags) {
  RecordingMarks after = before;
  after.flags = static_cast<uint8_t>(after.flags | flags);
  return after;
}

}  // namespace consent::domain
