#include "daemon/domain/unreached.h"

#include <algorithm>

#include "daemon/domain/effective.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain {
namespace {

bool Lists(const Notice* notice, Purpose purpose) { return notice != nullptr && notice->purposes.Has(purpose); }

// The notice of the latest yes of `scope` to one of `asked` that does not list `purpose`, which has no yes that counts.
NoticeNumber NoticeThatLeavesOut(const ScopeFacts& scope, Purpose purpose, PurposeSet asked, const Rules& rules) {
  const PurposeChoice own = EffectiveChoice(scope, purpose, rules);
  if (own.choice == Choice::kGiven) return Lists(rules.FindNotice(own.notice), purpose) ? 0 : own.notice;
  if (SaysNo(own.choice)) return 0;
  PurposeChoice latest;
  for (const Purpose other : kAllPurposes) {
    if (!asked.Has(other)) continue;
    const PurposeChoice beside = EffectiveChoice(scope, other, rules);
    if (beside.choice == Choice::kGiven && beside.LastGiven() > latest.LastGiven()) latest = beside;
  }
  const Notice* const notice = rules.FindNotice(latest.notice);
  return notice == nullptr || Lists(notice, purpose) ? 0 : notice->number;
}

Unreached From(const PurposeState& state, const SubjectFacts& subject, PurposeSet asked, const Rules& rules) {
  const ScopeFacts& scope = subject.scopes[state.scope];
  Unreached unreached{{scope.kind, scope.handle}, state.purpose, state.reason, 0};
  if (state.reason == Reason::kNoConsent) {
    // Only the account's own row says so.
    unreached.uncovering_notice = NoticeThatLeavesOut(subject.account(), state.purpose, asked, rules);
  } else if (state.reason == Reason::kProfileWithoutConsent) {
    unreached.uncovering_notice = NoticeThatLeavesOut(scope, state.purpose, asked, rules);
  }
  return unreached;
}

}  // namespace

std::vector<Unreached> UnreachedIn(const std::vector<PurposeState>& states, const SubjectFacts& subject,
                                   PurposeSet purposes, const Rules& rules) {
  std::vector<Unreached> unreached;
  for (const PurposeState& state : states) {
    if (!purposes.Has(state.purpose) || state.on || !IsSummedUp(state, subject)) continue;
    unreached.push_back(From(state, subject, purposes, rules));
  }
  return unreached;
}

bool AsksForConsent(const Command& command) {
  return std::any_of(command.choices.begin(), command.choices.end(),
                     [](const ChoiceCommand& choice) { return choice.on; });
}

std::vector<Consented> ConsentedBy(const Command& command, const std::vector<PartOutcome>& parts, const Rules& rules) {
  std::vector<Consented> consents;
  // Choices stand before the retention, which is last.
  const size_t behind = command.choices.size() + command.retention.size();
  if (parts.size() < behind) return consents;
  for (size_t i = 0; i < command.choices.size(); ++i) {
    const ChoiceCommand& choice = command.choices[i];
    const bool applied = parts[parts.size() - behind + i].refusal == Refusal::kNone;
    if (choice.on && applied) consents.push_back({choice.scope, internal::PurposesOf(choice.target, rules)});
  }
  return consents;
}

std::vector<Unreached> UnreachedBy(const SubjectFacts& after, const std::vector<Consented>& consents,
                                   const base::Now& now, const Rules& rules) {
  std::vector<Unreached> unreached;
  const auto is_told = [&unreached](const ScopeRef& scope, Purpose purpose) {
    return std::any_of(unreached.begin(), unreached.end(),
                       [&](const Unreached& known) { return known.scope == scope && known.purpose == purpose; });
  };
  for (const Consented& consent : consents) {
    const bool of_account = consent.scope.kind == ScopeKind::kAccount;
    for (size_t i = 0; i < after.scopes.size(); ++i) {
      const ScopeRef scope{after.scopes[i].kind, after.scopes[i].handle};
      if (of_account ? !IsShown(after.scopes[i]) : scope != consent.scope) continue;
      for (const Purpose purpose : kAllPurposes) {
        if (!consent.purposes.Has(purpose) || is_told(scope, purpose)) continue;
        const PurposeState state = StateOf(after, i, purpose, now, rules);
        if (state.on || (of_account && !IsSummedUp(state, after))) continue;
        unreached.push_back(From(state, after, consent.purposes, rules));
      }
    }
  }
  return unreached;
}

}  // namespace consent::domain
