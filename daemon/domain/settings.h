// What a settings page shows: for each scope, purpose and control what is in force for a recording made now, and why.
// Derived from the same functions as the decision. Pure.
#pragma once

#include <vector>

#include "daemon/domain/decision.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::domain {

enum class Answer : uint8_t { kOff = 0, kOn = 1, kPartial = 2 };

struct PurposeState {
  size_t scope = 0;  // index into SubjectFacts::scopes
  Purpose purpose = Purpose::kNone;
  PurposeChoice choice;  // effective
  bool on = false;
  Reason reason = Reason::kNone;  // CONSENT or DEFAULT where on
  Instant may_ask_again_at;       // MayAskAgainAt
};

struct Summary {
  Answer answer = Answer::kOff;
  Reason reason = Reason::kNone;  // of the account's state; where partial the first reason why not
  Instant may_ask_again_at;       // the latest of the states that it sums up; unset: none of them says no
};

// From when on a person who said no may be asked for it again: `since` of the no, and the days (of 24 hours) of the
// regime of `region`. Unset: there is no no. At most base::kLastInstant; that of a no whose time is not known.
Instant MayAskAgainAt(const PurposeChoice& choice, Region region, const Rules& rules);

// State of one purpose at one scope, for a capture at `now` by an intended wake of the one matched speaker.
PurposeState StateOf(const SubjectFacts& subject, size_t scope, Purpose purpose, const base::Now& now,
                     const Rules& rules);
// The registered profiles of adults, by the age of consent where the subject lives: indices into SubjectFacts::scopes.
std::vector<size_t> AdultProfiles(const SubjectFacts& subject, const base::Now& now, const Rules& rules);
// What becomes of a subject that is not registered where it is registered `now` and says nothing: what it refused
// stays.
SubjectFacts OnceRegistered(const SubjectFacts& subject, Instant now);

// A scope has a line of its own: neither the fold nor what is left of a removed one.
bool IsShown(const ScopeFacts& scope);
// Every scope that is shown and every purpose in use by the policy.
std::vector<PurposeState> States(const SubjectFacts& subject, const base::Now& now, const Rules& rules);
// The state counts in a summary of its purpose. Of a device only a no does; of a profile that is not registered, too.
bool IsSummedUp(const PurposeState& state, const SubjectFacts& subject);
// ON or OFF where all registered scopes and all given purposes agree, else PARTIAL. A device counts only where it says
// no.
Summary Summarise(const std::vector<PurposeState>& states, const SubjectFacts& subject, PurposeSet purposes);

}  // namespace consent::domain
