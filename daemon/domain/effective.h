// What a scope's stored choices mean for one purpose: refusals of a control or of everything are folded in.
// Shared by the decision, the settings page and the transitions, so that the three cannot differ.
#pragma once

#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::domain {

// The choice for `purpose` at `scope`: a refusal of ALL, or of a control that lists the purpose today, counts unless
// the purpose itself was given later.
PurposeChoice EffectiveChoice(const ScopeFacts& scope, Purpose purpose, const Rules& rules);
// Whether a consent that does not count (`unconfirmed`) stands where one of two records perhaps had that refusal and
// never this consent. `choice`: the effective one.
bool PerhapsOneRefused(const ScopeFacts& scope, Purpose purpose, const PurposeChoice& choice, const Rules& rules);

// From when on a profile is an adult by the age of consent of `years`; unset: always was; kEndOfTime: not foreseeable.
Instant AdultFrom(const Age& age, int years);
// The same by an age of consent that may have changed: since when without a break.
Instant AdultFrom(const Age& age, const AgeOfConsent& consent);
// When a raised age of consent last made a child of one who had been an adult; unset: none did.
Instant ChildAgainSince(const Age& age, const AgeOfConsent& consent);

// When a consent must have been given if it is to come after an age, a guardian's naming or a suspension: where two
// accounts gave it (strictest.h), the earlier one's. One that was renewed was still in force then, so it stands for
// that time.
Instant CountsFrom(const PurposeChoice& consent);

// When a consent ends by its notice's lifetime; kEndOfTime: never, also where the
// notice is unknown: such a consent does not count (NO_CONSENT), but nothing is purged for what a file forgot.
Instant ConsentEnd(const PurposeChoice& consent, const Rules& rules);

// A default perhaps allowed something once, where the subject lives or lived.
bool MayHaveHadDefault(const SubjectFacts& facts, const Rules& rules);

// Latest end of a suspension of `purpose` that concerned `region`; unset: none. `active`: one is on now.
struct SuspensionState {
  bool ever = false;
  bool active = false;
  Instant last_end;
};
// Whether a suspension is of `purpose` and concerns `region`.
bool Concerns(const Suspension& suspension, Purpose purpose, Region region);
SuspensionState SuspensionOf(Purpose purpose, Region region, const Rules& rules);

}  // namespace consent::domain
