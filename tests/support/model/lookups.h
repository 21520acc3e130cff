// What the rows of the model ask of the rules and of one scope.
#pragma once

#include <optional>
#include <vector>

#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::model {

using domain::Instant;

const domain::Notice* NoticeByNumber(const domain::Rules& rules, domain::NoticeNumber number);

// Subdivision, else country, else what the policy says of unknown regions.
domain::RegionRules RulesOfRegion(const domain::Rules& rules, domain::Region region);
const domain::AgeOfConsent& AgeOfConsentIn(const domain::Rules& rules, domain::Region region);

// Everything the policy remembers about suspensions of one purpose in any of some regions.
struct SuspensionHistory {
  bool now = false;
  bool ever = false;
  Instant last_end;  // unset: none ended yet
};
SuspensionHistory SuspensionsOf(const domain::Rules& rules, domain::Purpose purpose,
                                const std::vector<domain::Region>& regions);

// What a scope says about a purpose once refusals of a control or of everything are folded in.
domain::PurposeChoice Says(const domain::ScopeFacts& scope, domain::Purpose purpose, const domain::Rules& rules);

// The moment at which a person stops being a child; nothing: not foreseeable; kAlways: was never one, or not since
// 1970, before which no recording lies.
inline constexpr Instant kAlways{INT64_MIN};
std::optional<Instant> ComesOfAge(const domain::Age& age, int years);
// The same under an age of consent that may have changed: the beginning of the adulthood that lasts.
std::optional<Instant> StopsBeingAChild(const domain::Age& age, const domain::AgeOfConsent& consent);
// Unset: no change of the age of consent ever made a child of an adult. The changes that a policy remembers have
// happened.
Instant LastTimeAChildAgain(const domain::Age& age, const domain::AgeOfConsent& consent);

// The account has answered for this purpose after `t`: by itself, by a control or by everything.
bool HasChosenAfter(const domain::ScopeFacts& account, domain::Purpose purpose, const domain::Rules& rules, Instant t);

// When somebody consented: where two accounts did that were joined, the first of them, if the record still says when.
domain::Instant FirstConsented(const domain::PurposeChoice& consent);

// When a scope refused everything, or a control that lists the purpose today.
std::vector<domain::Instant> WiderRefusals(const domain::ScopeFacts& scope, domain::Purpose purpose,
                                           const domain::Rules& rules);

// The lifetime of the consent's notice has passed; it counts from the last time that the consent was given. A notice
// that nobody knows has no lifetime.
bool LifetimeIsOver(const domain::PurposeChoice& consent, const domain::Rules& rules, Instant now);
bool IsSuperseded(const domain::PurposeChoice& consent, const domain::Rules& rules, Instant now);

}  // namespace consent::model
