// What a consent does not reach: the scopes whose recordings may not be used for a purpose that somebody said yes to,
// and why. Said by the rule itself, by way of StateOf, so that it cannot promise what a check would refuse. Pure.
#pragma once

#include <vector>

#include "daemon/domain/settings.h"
#include "daemon/domain/transitions.h"

namespace consent::domain {

// One purpose at one scope that is not reached: a recording of it, made now and with nothing else against it, would not
// be eligible.
struct Unreached {
  ScopeRef scope;
  Purpose purpose = Purpose::kNone;
  Reason reason = Reason::kNone;  // of StateOf
  // The notice that was agreed to beside it, at the account or, where the reason is PROFILE_WITHOUT_CONSENT, at the
  // profile, and does not list the purpose: that is why no consent is there. 0: it is not for that.
  NoticeNumber uncovering_notice = 0;
  bool operator==(const Unreached&) const = default;
};

// A yes: where it was said, and to what it asked for, whether its notice lists it or not.
struct Consented {
  ScopeRef scope;
  PurposeSet purposes;
};

// Of the states that Summarise sums up for `purposes`: those that are off, in their order.
std::vector<Unreached> UnreachedIn(const std::vector<PurposeState>& states, const SubjectFacts& subject,
                                   PurposeSet purposes, const Rules& rules);

// Some choice of it turns something on.
bool AsksForConsent(const Command& command);

// The yeses of `command` that `parts`, the outcomes that Apply gave it, say were applied.
std::vector<Consented> ConsentedBy(const Command& command, const std::vector<PartOutcome>& parts, const Rules& rules);

// What of `consents` is not reached at `now`, where `after` is what they made of the subject: of an account's yes the
// states that Summarise sums up, of a profile's or device's its own. Each scope and purpose once.
std::vector<Unreached> UnreachedBy(const SubjectFacts& after, const std::vector<Consented>& consents,
                                   const base::Now& now, const Rules& rules);

}  // namespace consent::domain
