#include "daemon/domain/child_inactivity.h"

#include "daemon/domain/effective.h"

namespace consent::domain {

ChildInactivity InactivityOf(const SubjectFacts& subject, const ScopeFacts& profile, const base::Now& now,
                             const Rules& rules) {
  const bool is_closed = subject.closed_at.IsSet() && !subject.reopened_at.IsSet();
  if (is_closed || profile.kind != ScopeKind::kProfile || !profile.registered || !profile.last_active.IsSet())
    return {};
  if (AdultFrom(profile.age, rules.AgeOfConsentIn(subject.region)) <= now.latest) return {};
  const Regime& regime = rules.regimes[rules.ForRegion(subject.region).regime];
  ChildInactivity found;
  found.inactive_at = base::AddMonths(profile.last_active, regime.child_inactive_months);
  if (now.latest < found.inactive_at) return {};
  found.due = ChildDue::kNotice;
  // One that went out before the child was inactive says nothing of it, as for R3.
  const Instant notice = profile.inactivity_notice;
  if (!notice.IsSet() || notice < found.inactive_at) return found;
  found.purge_at = notice + regime.child_notice_period;
  found.due = found.purge_at <= now.earliest ? ChildDue::kPurge : ChildDue::kAnswer;
  return found;
}

}  // namespace consent::domain
