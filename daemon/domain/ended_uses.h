// What a change of settings ends, so that data systems have to be told: copies of a purpose that was allowed, audio
// that is kept no longer. Pure.
#pragma once

#include <vector>

#include "daemon/domain/deletion.h"
#include "daemon/domain/transitions.h"

namespace consent::domain {

struct EndedUse {
  DeletionCause cause = DeletionCause::kWithdrawal;  // or kRetention
  ScopeRef scope;
  PurposeSet copies_of;  // of kWithdrawal
  Instant up_to;         // captured at or before; unset: until the change
};

// At most one of each cause for a scope. A purpose counts where it may have been allowed before the change, by choice
// or default: consents that meanwhile expired or were superseded, too. Refusing what nobody allowed ends nothing, and
// leaves lawful source audio alone either way.
std::vector<EndedUse> EndedBy(const SubjectFacts& before, const Transition& change, const Moment& moment,
                              const Rules& rules);

// Copies of purposes that a consent under a notice that covers the past forgives: what an earlier end of them ordered
// away is owed no more.
struct Forgiven {
  ScopeRef scope;
  PurposeSet copies_of;
};
// At most one for a scope.
std::vector<Forgiven> ForgivenBy(const Transition& change);

}  // namespace consent::domain
