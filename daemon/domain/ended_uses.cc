#include "daemon/domain/ended_uses.h"

#include <algorithm>

#include "daemon/domain/effective.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain {
namespace {

bool MayHaveBeenAllowed(const SubjectFacts& before, const FactChange& change, const Rules& rules) {
  if (change.from == Choice::kGiven) return true;
  if (MayHaveHadDefault(before, rules)) return true;
  if (!before.registered) return false;
  // By the account's consent, which covers its devices; no notice speaks for another adult.
  return change.scope.kind == ScopeKind::kDevice &&
         EffectiveChoice(before.account(), change.purpose, rules).choice == Choice::kGiven;
}

EndedUse& ForScope(std::vector<EndedUse>& ended, DeletionCause cause, const ScopeRef& scope) {
  const auto at = std::find_if(ended.begin(), ended.end(),
                               [&](const EndedUse& one) { return one.cause == cause && one.scope == scope; });
  if (at != ended.end()) return *at;
  return ended.emplace_back(EndedUse{cause, scope, {}, {}});
}

}  // namespace

std::vector<EndedUse> EndedBy(const SubjectFacts& before, const Transition& change, const Moment& moment,
                              const Rules& rules) {
  std::vector<EndedUse> ended;
  // All of a closed account goes already.
  if (before.closed_at.IsSet() && !before.reopened_at.IsSet()) return ended;
  for (const FactChange& one : change.changes) {
    if (one.what == ChangedWhat::kPurpose) {
      const bool turned_off = SaysNo(one.to) && !SaysNo(one.from);
      if (turned_off && MayHaveBeenAllowed(before, one, rules)) {
        ForScope(ended, DeletionCause::kWithdrawal, one.scope).copies_of.Add(one.purpose);
      }
    } else if (one.what == ChangedWhat::kRetention) {
      const ScopeFacts* scope = before.Find(one.scope.kind, one.scope.handle);
      const Retention kept = scope != nullptr ? scope->retention : Retention{};
      if (internal::Strictness(one.retention) >= internal::Strictness(kept)) continue;
      const bool at_once = one.retention.kind == RetentionKind::kDoNotSave;
      const Instant up_to = internal::ExpiredUpTo(one.retention, moment.now.earliest);
      if (at_once || up_to.IsSet()) {
        ForScope(ended, DeletionCause::kRetention, one.scope).up_to = at_once ? Instant{} : up_to;
      }
    }
  }
  return ended;
}

std::vector<Forgiven> ForgivenBy(const Transition& change) {
  std::vector<Forgiven> forgiven;
  for (const FactChange& one : change.changes) {
    if (one.what != ChangedWhat::kPurpose || one.to != Choice::kGiven) continue;
    const ScopeFacts* scope = change.after.Find(one.scope.kind, one.scope.handle);
    if (scope == nullptr || !scope->ChoiceFor(one.purpose).copies_forgiven) continue;
    auto at =
        std::find_if(forgiven.begin(), forgiven.end(), [&](const Forgiven& known) { return known.scope == one.scope; });
    if (at == forgiven.end()) at = forgiven.insert(forgiven.end(), Forgiven{one.scope, {}});
    at->copies_of.Add(one.purpose);
  }
  return forgiven;
}

}  // namespace consent::domain
