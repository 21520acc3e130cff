// What the files of the transitions share: transitions.cc (retention, and the order of the parts),
// transitions_answers.cc, transitions_choices.cc, transitions_join.cc, transitions_people.cc and transitions_scopes.cc.
// Private to this folder.
#pragma once

#include <string>
#include <utility>

#include "daemon/domain/transitions.h"

namespace consent::domain::internal {

// One command being applied. Its parts are free functions over it.
struct TransitionBuilder {
  const SubjectFacts& before;
  const Command& command;
  const Moment& moment;
  const Rules& rules;
  Transition& result;

  SubjectFacts& after() { return result.after; }
  bool IsClosed() const { return result.after.closed_at.IsSet() && !result.after.reopened_at.IsSet(); }
  // Closed, and its record not yet shrunk to what was refused since.
  bool IsToBeForgotten() const { return IsClosed() && !IsForgotten(result.after); }
  bool IsImport() const { return command.proof.channel == Channel::kImport; }
  // Where the account lives, as far as the command has been applied.
  const AgeOfConsent& AgeAtHome() const { return rules.AgeOfConsentIn(result.after.region); }
  // By the time of the change.
  bool IsAdultAtHome(const ScopeFacts& profile) const;
  void Record(FactChange change) { result.changes.push_back(std::move(change)); }
};

inline PartOutcome Refused(Refusal refusal, std::string detail = {}) {
  return PartOutcome{refusal, false, std::move(detail)};
}
inline PartOutcome Applied(bool changed) { return PartOutcome{Refusal::kNone, changed, {}}; }

// What every loosening needs: a clock that can be trusted, a registered subject, the current revision, channel and
// actor. `about_people`: the part only says who lives there, which a first registration may do without etag and
// evidence. `answers`: the part names the no that it answers, which stands in the place of a missing etag.
PartOutcome MayLoosen(const TransitionBuilder& builder, bool about_people, bool answers = false);

void RecordScope(TransitionBuilder& builder, ChangedWhat what, const ScopeRef& scope, bool loosens);

// The scope, made unregistered if it is named for the first time: it then begins with what the fold of its kind
// refuses, and the oldest unregistered one may fold to make room. Other references to scopes end.
ScopeFacts& FindOrCreate(TransitionBuilder& builder, const ScopeRef& scope);

// A profile or device is registered, if the subject may have one more; nullptr: it may not.
ScopeFacts* Register(TransitionBuilder& builder, const ScopeRef& scope);

// The last end that a scope remembers, its choice unset, now that `choice` is replaced or goes: a refusal's time, or
// when a consent had expired, or an earlier one. Where there is none, nothing.
PurposeChoice EndOf(const TransitionBuilder& builder, const ScopeFacts& scope, const PurposeChoice& choice);

// What `from` says no to, or remembers that it did, `into` refuses since then.
void InheritRefusals(const ScopeFacts& from, ScopeFacts& into);
// As many of the oldest unregistered scopes as the record has no room for give up their places.
void FoldToBound(SubjectFacts& facts, ScopeKind kind);

// Smaller is stricter.
int Strictness(const Retention& retention);

// The last capture that had expired under `retention` at `now`; unset: none.
Instant ExpiredUpTo(const Retention& retention, Instant now);

// What a target names; of a control also one that only an earlier policy had.
PurposeSet PurposesOf(const Target& target, const Rules& rules);

// When the last no to one of `asked` was said at the scope; unset: none of them is refused, or there is no scope.
Instant LastNo(const ScopeFacts* scope, PurposeSet asked, const Rules& rules);

// Choices and their outcomes, refusals first.
void ApplyChoices(TransitionBuilder& builder);

PartOutcome ApplyJoin(TransitionBuilder& builder, const JoinCommand& join);
PartOutcome ApplyRegion(TransitionBuilder& builder, Region region);
PartOutcome ApplyProfile(TransitionBuilder& builder, const ProfileCommand& profile);
PartOutcome ApplyDevice(TransitionBuilder& builder, base::DeviceHandle device);
PartOutcome ApplyRemoval(TransitionBuilder& builder, const ScopeRef& scope);
// The first notice stays, so that no reminder puts the end of its period off. It waits while the time is in doubt or
// behind: a period that begins too early would purge too early.
PartOutcome ApplyChildNotice(TransitionBuilder& builder, base::ProfileHandle profile);
// A guardian's name has no reason to stay with who has come of age.
void DropGuardiansOfAdults(TransitionBuilder& builder);
// When the period after the notice about a child's inactivity had surely ended, which purged what was recorded before;
// unset: it has not.
Instant InactivityPurge(const TransitionBuilder& builder, const ScopeFacts& scope);

}  // namespace consent::domain::internal
