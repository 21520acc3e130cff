// Yeses that name the no that they answer.
#include <algorithm>

#include "daemon/domain/effective.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain::internal {

Instant LastNo(const ScopeFacts* scope, PurposeSet asked, const Rules& rules) {
  Instant last;
  if (scope == nullptr) return last;
  for (const Purpose purpose : kAllPurposes) {
    if (!asked.Has(purpose)) continue;
    const PurposeChoice now = EffectiveChoice(*scope, purpose, rules);
    if (SaysNo(now.choice)) last = std::max(last, now.since);
  }
  return last;
}

}  // namespace consent::domain::internal

namespace consent::domain {

void NoteRefusedAgain(const SubjectFacts& facts, const FactChange& change, Instant at, const Rules& rules,
                      Command* command) {
  if (change.what != ChangedWhat::kRefusedAgain) return;
  PurposeSet one;
  one.Add(change.purpose);
  const Instant stands = internal::LastNo(facts.Find(change.scope.kind, change.scope.handle), one, rules);
  // It was agreed to since, or refused anew.
  if (!stands.IsSet() || at < stands) return;
  const auto is_for_self = [&](const ChoiceCommand& choice) {
    return choice.scope.kind == ScopeKind::kAccount && command->self_profile &&
           change.scope == ScopeRef{ScopeKind::kProfile, command->self_profile->bytes};
  };
  for (ChoiceCommand& choice : command->choices) {
    if (!choice.answers.IsSet() || at < choice.answers || !choice.unreadable.empty()) continue;
    if (change.scope != choice.scope && !is_for_self(choice)) continue;
    if (!internal::PurposesOf(choice.target, rules).Has(change.purpose)) continue;
    choice.refused_again = std::max(choice.refused_again, at);
  }
}

Instant FirstAnswered(const Command& command) {
  Instant first;
  for (const ChoiceCommand& choice : command.choices) {
    if (choice.answers.IsSet() && (!first.IsSet() || choice.answers < first)) first = choice.answers;
  }
  return first;
}

}  // namespace consent::domain
