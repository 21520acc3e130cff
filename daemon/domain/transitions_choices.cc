// Choices: what is turned off and on.
#include <algorithm>

#include "daemon/base/known_names.h"
#include "daemon/domain/effective.h"
#include "daemon/domain/ends.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain::internal {
namespace {

// Also one that only an earlier policy had, as the button of an older app.
const Control* ControlToRefuse(const std::string& name, const Rules& rules) {
  if (const Control* control = rules.FindControl(name)) return control;
  const auto& retired = rules.retired_controls;
  const auto found =
      std::find_if(retired.begin(), retired.end(), [&](const Control& control) { return control.name == name; });
  return found == retired.end() ? nullptr : &*found;
}

// Of the policy in force alone: what an earlier one had can be turned off, and is no name to learn.
std::string KnownControls(const std::string& given, const Rules& rules) {
  std::vector<std::string_view> known;
  for (const Control& control : rules.controls) known.push_back(control.name);
  return base::KnownNames(given, known);
}

// The versions under which something can be agreed to at `at`.
std::string UsableNotices(const std::string& given, const Rules& rules, Instant at) {
  std::vector<std::string_view> usable;
  for (const Notice& notice : rules.notices) {
    if (notice.valid_from <= at && at < notice.superseded_from) usable.push_back(notice.version);
  }
  return base::KnownNames(given, usable);
}

void SetChoice(TransitionBuilder& builder, ScopeFacts& scope, Purpose purpose, const PurposeChoice& choice,
               Choice shown_from) {
  scope.ChoiceFor(purpose) = choice;
  FactChange change;
  change.what = ChangedWhat::kPurpose;
  change.scope = ScopeRef{scope.kind, scope.handle};
  change.purpose = purpose;
  change.from = shown_from;
  change.to = choice.choice;
  change.loosens = !SaysNo(choice.choice);
  if (choice.choice == Choice::kGiven) {
    const Instant end = ConsentEnd(choice, builder.rules);
    if (end != base::kEndOfTime) change.holds_until = end;
  }
  builder.Record(std::move(change));
}

// When a purpose was last agreed to. A refusal of before it is not the last word on what a control may gain.
Instant LastAgreed(const ScopeFacts& scope) {
  Instant last;
  for (const PurposeChoice& choice : scope.choices) {
    if (choice.choice == Choice::kGiven) last = std::max({last, choice.since, choice.renewed});
  }
  return last;
}

// Refuses what is added to the target later. True where that is new, or said anew of a closed account: it then binds
// the next one of its id. `agreed`: LastAgreed of the scope before the target was turned off.
bool RefuseFuture(TransitionBuilder& builder, ScopeFacts& scope, const Target& target, Instant agreed) {
  const auto stands = [&](Instant since) { return !builder.IsToBeForgotten() && agreed <= since; };
  if (target.kind == TargetKind::kAll) {
    if (scope.refused_all_since.IsSet() && stands(scope.refused_all_since)) return false;
    scope.refused_all_since = builder.moment.time;
  } else {
    const ControlNumber number = ControlToRefuse(target.control, builder.rules)->number;
    const auto known = std::find_if(scope.refused_controls.begin(), scope.refused_controls.end(),
                                    [&](const ControlRefusal& refusal) { return refusal.control == number; });
    if (known != scope.refused_controls.end() && stands(known->since)) return false;
    if (known != scope.refused_controls.end()) scope.refused_controls.erase(known);
    scope.refused_controls.push_back(ControlRefusal{number, builder.moment.time});
  }
  FactChange change;
  change.what = ChangedWhat::kRefusesFuture;
  change.scope = ScopeRef{scope.kind, scope.handle};
  builder.Record(std::move(change));
  return true;
}

PartOutcome TurnOff(TransitionBuilder& builder, const ChoiceCommand& command) {
  if (command.target.kind == TargetKind::kControl &&
      ControlToRefuse(command.target.control, builder.rules) == nullptr) {
    return Refused(Refusal::kUnknownControl, KnownControls(command.target.control, builder.rules));
  }
  ScopeFacts& scope = FindOrCreate(builder, command.scope);
  const Instant agreed = LastAgreed(scope);
  bool changed = false;
  const PurposeSet purposes = PurposesOf(command.target, builder.rules);
  for (const Purpose purpose : kAllPurposes) {
    if (!purposes.Has(purpose)) continue;
    const PurposeChoice now = EffectiveChoice(scope, purpose, builder.rules);
    if (SaysNo(now.choice) && builder.IsToBeForgotten()) {
      // The record keeps since when it is refused; the history, that it was said to the closed account too.
      FactChange again;
      again.scope = ScopeRef{scope.kind, scope.handle};
      again.purpose = purpose;
      again.from = again.to = now.choice;
      builder.Record(std::move(again));
      changed = true;
      continue;
    }
    if (SaysNo(now.choice) && !now.inherited) {
      // Since when it is refused stays. That it was said again is on record: a yes that answers the first no is late.
      FactChange again;
      again.what = ChangedWhat::kRefusedAgain;
      again.scope = ScopeRef{scope.kind, scope.handle};
      again.purpose = purpose;
      builder.Record(std::move(again));
      continue;
    }
    PurposeChoice refused;
    refused.choice = now.choice == Choice::kGiven ? Choice::kWithdrawn : Choice::kRefused;
    refused.since = builder.moment.time;
    SetChoice(builder, scope, purpose, refused, now.choice);
    changed = true;
  }
  if (command.target.kind != TargetKind::kPurpose) {
    changed = RefuseFuture(builder, scope, command.target, agreed) || changed;
  }
  return Applied(changed);
}

// Empty where the notice can be used for a consent at `at`, else why not, and what can.
std::string WhyNotUsable(const Rules& rules, const Proof& proof, Instant at) {
  const Notice* const notice = rules.FindNotice(proof.notice_version);
  const auto but = [&](const char* why) { return why + UsableNotices(proof.notice_version, rules, at); };
  if (notice == nullptr) return but("the policy has no such notice; ");
  if (notice->valid_from > at) return but("the notice is not valid yet; ");
  if (notice->superseded_from <= at) return but("the notice is superseded; ");
  const std::vector<std::string_view> languages(notice->languages.begin(), notice->languages.end());
  if (std::find(languages.begin(), languages.end(), proof.notice_language) != languages.end()) return "";
  return "the notice has no such language; " + base::KnownNames(proof.notice_language, languages);
}

// A consent as it is asked for: what the proof and the policy make of it for every scope.
struct Consenting {
  const Notice& notice;
  PurposeSet granted;
  Instant given_at;  // when it counts from
};

// Who may consent for this scope.
PartOutcome MayConsent(const TransitionBuilder& builder, const ScopeFacts& scope, const Target& target,
                       Instant given_at) {
  const Proof& proof = builder.command.proof;
  if (scope.kind != ScopeKind::kProfile) {
    const bool unnamed = proof.actor == Actor::kGuardian && !proof.guardian.IsSet();
    return unnamed ? Refused(Refusal::kEvidenceRequired, "guardian_id") : Applied(false);
  }
  if (builder.IsAdultAtHome(scope)) {
    if (proof.actor == Actor::kGuardian) {
      return Refused(Refusal::kEvidenceRequired, "actor SELF or AGENT: an adult consents for themselves");
    }
    return Applied(false);
  }
  if (proof.actor != Actor::kGuardian || !scope.guardian.IsSet() || proof.guardian != scope.guardian) {
    return Refused(Refusal::kGuardianRequired, "the guardian named in the profile");
  }
  if (target.kind != TargetKind::kPurpose) {
    return Refused(Refusal::kGuardianRequired, "a guardian consents purpose by purpose");
  }
  if (given_at < scope.guardian_since) {
    return Refused(Refusal::kGuardianRequired,
                   "the guardian was not named yet when the consent is said to have been given");
  }
  return Applied(false);
}

bool IsByGuardian(const TransitionBuilder& builder, const ScopeFacts& scope) {
  return scope.kind == ScopeKind::kProfile && builder.command.proof.actor == Actor::kGuardian;
}

// It counts now as it did when it was given: neither its lifetime nor a notice, a suspension or an age has ended it.
bool StillCounts(const TransitionBuilder& builder, const ScopeFacts& scope, Purpose purpose,
                 const PurposeChoice& consent) {
  const Instant now = builder.moment.time;
  const Notice* notice = builder.rules.FindNotice(consent.notice);
  if (consent.choice != Choice::kGiven || consent.has_ended || consent.unconfirmed || notice == nullptr ||
      notice->superseded_from <= now) {
    return false;
  }
  if (ConsentEnd(consent, builder.rules) <= now) return false;
  const SuspensionState suspension = SuspensionOf(purpose, builder.result.after.region, builder.rules);
  if (consent.was_suspended || suspension.active || CountsFrom(consent) < suspension.last_end) return false;
  if (scope.kind != ScopeKind::kProfile) return true;
  const Instant adult_from = AdultFrom(scope.age, builder.AgeAtHome());
  if (!consent.by_guardian) return adult_from <= now && CountsFrom(consent) >= adult_from;
  return now < adult_from &&
         CountsFrom(consent) >= std::max(scope.guardian_since, ChildAgainSince(scope.age, builder.AgeAtHome()));
}

// Neither the person nor the person's guardian says it.
bool IsByOther(const TransitionBuilder& builder, const ScopeFacts& scope) {
  return !IsByGuardian(builder, scope) && builder.command.proof.actor != Actor::kSelf;
}

// The same person says again what still counts: an agent or the system is not that person.
bool IsRenewal(const TransitionBuilder& builder, const ScopeFacts& scope, Purpose purpose, const PurposeChoice& now,
               const Consenting& consenting) {
  const bool by_guardian = IsByGuardian(builder, scope);
  const bool in_person = !IsByOther(builder, scope) && !now.by_other;
  return in_person && !builder.IsImport() && now.by_guardian == by_guardian && now.notice == consenting.notice.number &&
         StillCounts(builder, scope, purpose, now);
}

// An import may say again what is stored, or fill what is unset. Empty: it may; else what is stored that it would
// loosen.
std::string WhyNotFilled(const TransitionBuilder& builder, const ScopeFacts& scope, const Consenting& consenting) {
  // After a denied closure, or "everything", the subject chooses, and an import has not heard it.
  if (builder.result.after.default_denied.IsSet()) return "the wish to have the account closed or everything deleted";
  // Given to the closed account of that id, and nothing of it is inherited.
  const Instant reopened = builder.result.after.reopened_at;
  const bool of_the_one_before =
      consenting.given_at <= reopened || (reopened.IsSet() && !builder.command.proof.given_at.IsSet());
  if (of_the_one_before) return "the closure of the account that had this id before";
  for (const Purpose purpose : kAllPurposes) {
    if (!consenting.granted.Has(purpose)) continue;
    const PurposeChoice now = EffectiveChoice(scope, purpose, builder.rules);
    if (SaysNo(now.choice)) return "a refusal";
    if (now.choice == Choice::kUnset && !now.refused_from.IsSet()) continue;
    if (now.choice == Choice::kUnset) return "an end of a consent that was given before";
    const bool same = now.notice == consenting.notice.number && now.by_guardian == IsByGuardian(builder, scope) &&
                      (!builder.command.proof.given_at.IsSet() || builder.command.proof.given_at == now.since) &&
                      StillCounts(builder, scope, purpose, now);
    if (!same) return "another consent";
  }
  return "";
}

// Everything a consent needs before any scope is looked at.
PartOutcome MayTurnOn(const TransitionBuilder& builder, const ChoiceCommand& command) {
  if (command.target.kind == TargetKind::kAll) return Refused(Refusal::kAllCannotBeTurnedOn);
  if (command.target.kind == TargetKind::kControl && builder.rules.FindControl(command.target.control) == nullptr) {
    return Refused(Refusal::kUnknownControl, KnownControls(command.target.control, builder.rules));
  }
  PartOutcome gate = MayLoosen(builder, false, command.answers.IsSet());
  if (gate.refusal != Refusal::kNone) return gate;
  const Proof& proof = builder.command.proof;
  if (proof.notice_version.empty()) return Refused(Refusal::kEvidenceRequired, "notice_version");
  if (proof.notice_language.empty()) return Refused(Refusal::kEvidenceRequired, "notice_language");
  const Instant given = proof.given_at.IsSet() ? proof.given_at : builder.moment.time;
  if (given > builder.moment.time) {
    return Refused(Refusal::kImportCannotLoosen, "nothing yet at the time that it states, which lies in the future");
  }
  std::string why = WhyNotUsable(builder.rules, proof, given);
  // What was given elsewhere under an older notice may be imported; it is then superseded like any other. A later yes
  // on paper counts from its entry.
  if (proof.given_at.IsSet() && !builder.IsImport()) why = "only an import states when it was given";
  if (!why.empty()) return Refused(Refusal::kNoticeNotUsable, std::move(why));
  return Applied(false);
}

// The scopes that a consent is for: the account's may be that of one adult in it, too. The second may be none.
struct ConsentScopes {
  ScopeRef first;
  std::optional<ScopeRef> second;
};

ConsentScopes ScopesOf(const TransitionBuilder& builder, const ChoiceCommand& command) {
  ConsentScopes scopes{command.scope, std::nullopt};
  if (command.scope.kind == ScopeKind::kAccount && builder.command.self_profile) {
    scopes.second = ScopeRef{ScopeKind::kProfile, builder.command.self_profile->bytes};
  }
  return scopes;
}

// A yes that names the no that it answers counts where that is the last one, at both scopes where it is for two.
PartOutcome AnswersTheLastNo(const TransitionBuilder& builder, const ChoiceCommand& command,
                             const ConsentScopes& scopes) {
  if (!command.answers.IsSet()) return Applied(false);
  const PurposeSet asked = PurposesOf(command.target, builder.rules);
  const SubjectFacts& before = builder.before;
  Instant last = LastNo(before.Find(scopes.first.kind, scopes.first.handle), asked, builder.rules);
  if (scopes.second) {
    last = std::max(last, LastNo(before.Find(scopes.second->kind, scopes.second->handle), asked, builder.rules));
  }
  if (last.IsSet()) last = std::max(last, command.refused_again);
  if (last == command.answers) return Applied(false);
  return Refused(Refusal::kEtagMismatch,
                 last.IsSet() ? "was said at another time" : "is not stored: nothing of it is refused");
}

// What one scope needs.
PartOutcome MayTurnOnAt(const TransitionBuilder& builder, const ChoiceCommand& command, const ScopeFacts* scope,
                        const Consenting& consenting) {
  if (scope == nullptr || !scope->registered) return Refused(Refusal::kScopeNotFound);
  PartOutcome gate = MayConsent(builder, *scope, command.target, consenting.given_at);
  if (gate.refusal != Refusal::kNone || !builder.IsImport()) return gate;
  std::string stored = WhyNotFilled(builder, *scope, consenting);
  return stored.empty() ? Applied(false) : Refused(Refusal::kImportCannotLoosen, std::move(stored));
}

// The lifetime starts anew, in whole seconds. False where it did within this second.
bool Renew(PurposeChoice& consent, Instant now) {
  const int64_t whole = (now - consent.since).micros / base::Seconds(1).micros;
  const Instant renewed = consent.since + base::Seconds(whole);
  if (whole == 0 || renewed <= consent.renewed) return false;
  consent.renewed = renewed;
  return true;
}

bool Give(TransitionBuilder& builder, ScopeFacts& scope, Purpose purpose, const Consenting& consenting) {
  const PurposeChoice now = EffectiveChoice(scope, purpose, builder.rules);
  if (builder.IsImport() && now.choice == Choice::kGiven) return false;
  PurposeChoice given;
  if (IsRenewal(builder, scope, purpose, now, consenting)) {
    given = now;
    if (!Renew(given, builder.moment.time)) return false;
  } else {
    given = EndOf(builder, scope, now);
    given.choice = Choice::kGiven;
    given.by_guardian = IsByGuardian(builder, scope);
    given.by_other = IsByOther(builder, scope);
    given.imported = builder.command.proof.given_at.IsSet();
    given.notice = consenting.notice.number;
    given.since = consenting.given_at;
    PastEnd end = EndIn(given);
    end.was_forgiven = end.from.IsSet() && (end.was_forgiven || consenting.notice.covers_past);
    SetEnd(end, &given);
  }
  SetChoice(builder, scope, purpose, given, now.choice);
  return true;
}

bool TurnOnAt(TransitionBuilder& builder, const ChoiceCommand& command, ScopeFacts& scope, const Consenting& consenting,
              bool wholly) {
  bool changed = false;
  for (const Purpose purpose : kAllPurposes) {
    if (consenting.granted.Has(purpose)) changed = Give(builder, scope, purpose, consenting) || changed;
  }
  if (command.target.kind == TargetKind::kControl && wholly && !builder.IsImport()) {
    const ControlNumber number = builder.rules.FindControl(command.target.control)->number;
    auto& refusals = scope.refused_controls;
    refusals.erase(
        std::remove_if(refusals.begin(), refusals.end(), [&](const ControlRefusal& r) { return r.control == number; }),
        refusals.end());
  }
  return changed;
}

PartOutcome TurnOn(TransitionBuilder& builder, const ChoiceCommand& command) {
  PartOutcome gate = MayTurnOn(builder, command);
  if (gate.refusal != Refusal::kNone) return gate;
  const Proof& proof = builder.command.proof;
  const Notice& notice = *builder.rules.FindNotice(proof.notice_version);
  const PurposeSet asked = PurposesOf(command.target, builder.rules);
  PurposeSet granted;
  granted.bits = asked.bits & notice.purposes.bits & builder.rules.purposes.bits;
  const Consenting consenting{notice, granted, proof.given_at.IsSet() ? proof.given_at : builder.moment.time};
  const ConsentScopes scopes = ScopesOf(builder, command);
  if (PartOutcome late = AnswersTheLastNo(builder, command, scopes); late.refusal != Refusal::kNone) return late;
  ScopeFacts* first = builder.after().Find(scopes.first.kind, scopes.first.handle);
  ScopeFacts* second = scopes.second ? builder.after().Find(scopes.second->kind, scopes.second->handle) : nullptr;
  PartOutcome allowed = MayTurnOnAt(builder, command, first, consenting);
  if (allowed.refusal == Refusal::kNone && scopes.second) allowed = MayTurnOnAt(builder, command, second, consenting);
  if (allowed.refusal != Refusal::kNone) return allowed;
  if (granted.Empty()) {
    return Refused(Refusal::kNoticeNotUsable, "the notice does not list the purpose, or the policy does not use it");
  }
  bool changed = TurnOnAt(builder, command, *first, consenting, granted == asked);
  if (second != nullptr) changed = TurnOnAt(builder, command, *second, consenting, granted == asked) || changed;
  return Applied(changed);
}

// The same call turns some of it off.
bool IsContradicted(const TransitionBuilder& builder, const ChoiceCommand& on) {
  const PurposeSet asked = PurposesOf(on.target, builder.rules);
  const ConsentScopes scopes = ScopesOf(builder, on);
  const auto& choices = builder.command.choices;
  return std::any_of(choices.begin(), choices.end(), [&](const ChoiceCommand& off) {
    return !off.on && off.unreadable.empty() && (off.scope == scopes.first || off.scope == scopes.second) &&
           (PurposesOf(off.target, builder.rules).bits & asked.bits) != 0;
  });
}

}  // namespace

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
      if (const Control* control = ControlToRefuse(target.control, rules)) purposes = control->purposes;
      break;
  }
  return purposes;
}

// When a consent surely ended, at the latest now; unset: it did not. A device's is never needed, so its end is none.
static Instant SureEnd(const TransitionBuilder& builder, const ScopeFacts& scope, const PurposeChoice& choice) {
  const Instant now = builder.moment.now.earliest;
  if (choice.choice != Choice::kGiven || scope.kind == ScopeKind::kDevice || !now.IsSet()) return Instant{};
  Instant expired = ConsentEnd(choice, builder.rules);
  if (scope.kind == ScopeKind::kProfile && choice.by_guardian) {
    expired = std::min(expired, AdultFrom(scope.age, builder.AgeAtHome()));
    const Instant again = ChildAgainSince(scope.age, builder.AgeAtHome());
    if (CountsFrom(choice) < again) expired = std::min(expired, again);
    // When is not told any more; all of it is owed now.
    if (choice.has_ended) expired = std::min(expired, now);
  }
  expired = std::max(expired, choice.since);
  return expired <= now ? expired : Instant{};
}

PurposeChoice EndOf(const TransitionBuilder& builder, const ScopeFacts& scope, const PurposeChoice& choice) {
  // Of the accounts that became this one each may have had it end later: by a no that was said again, by another
  // lifetime. Since the first of these ends nothing was allowed, so all of it is owed.
  const bool of_several = !builder.result.after.joined_from.empty();
  const Instant owed_until = of_several ? builder.moment.time : Instant{};
  const Instant expired = SureEnd(builder, scope, choice);
  PastEnd end = EndIn(choice);
  if (SaysNo(choice.choice)) {
    // An inherited one may have said no such thing, so nothing of it is owed.
    end = BothEnds(PastEnd{choice.since, owed_until, false, choice.inherited}, end, scope.kind);
  } else if (expired.IsSet()) {
    end = BothEnds(PastEnd{expired, owed_until, true, false}, of_several ? end : PastEnd{}, scope.kind);
  }
  PurposeChoice remembered;
  SetEnd(end, &remembered);
  return remembered;
}

void ApplyChoices(TransitionBuilder& builder) {
  const std::vector<ChoiceCommand>& choices = builder.command.choices;
  std::vector<PartOutcome> outcomes(choices.size());
  for (size_t i = 0; i < choices.size(); ++i) {
    if (!choices[i].unreadable.empty()) {
      outcomes[i] = Refused(Refusal::kUnusable, choices[i].unreadable);
    } else if (!choices[i].on) {
      outcomes[i] = TurnOff(builder, choices[i]);
    }
  }
  for (size_t i = 0; i < choices.size(); ++i) {
    if (!choices[i].on || !choices[i].unreadable.empty()) continue;
    outcomes[i] = IsContradicted(builder, choices[i]) ? Refused(Refusal::kContradiction) : TurnOn(builder, choices[i]);
  }
  for (PartOutcome& outcome : outcomes) builder.result.parts.push_back(std::move(outcome));
}

}  // namespace consent::domain::internal
