#include "daemon/domain/effective.h"

#include <algorithm>

namespace consent::domain {

namespace {

// The last refusal of everything, or of a control that lists the purpose today; unset: there is none.
Instant CoveredSince(const ScopeFacts& scope, Purpose purpose, const Rules& rules) {
  Instant since = scope.refused_all_since;
  for (const ControlRefusal& refusal : scope.refused_controls) {
    const Control* control = rules.FindControl(refusal.control);
    if (control != nullptr && control->purposes.Has(purpose)) since = std::max(since, refusal.since);
  }
  return since;
}

}  // namespace

bool PerhapsOneRefused(const ScopeFacts& scope, Purpose purpose, const PurposeChoice& choice, const Rules& rules) {
  return choice.unconfirmed && CoveredSince(scope, purpose, rules).IsSet();
}

PurposeChoice EffectiveChoice(const ScopeFacts& scope, Purpose purpose, const Rules& rules) {
  const PurposeChoice& stored = scope.ChoiceFor(purpose);
  if (SaysNo(stored.choice)) return stored;
  const Instant covered_since = CoveredSince(scope, purpose, rules);
  if (!covered_since.IsSet()) return stored;
  if (stored.choice == Choice::kGiven && stored.since > covered_since) return stored;
  PurposeChoice refused;
  refused.choice = Choice::kRefused;
  refused.since = covered_since;
  return refused;
}

Instant AdultFrom(const Age& age, int years) {
  const auto reaches = [years](base::Date born) { return base::BegunEverywhere(base::AddYears(born, years)); };
  if (age.kind == AgeKind::kUnknown || age.kind == AgeKind::kChild) return base::kEndOfTime;
  Instant from = age.adult_since;
  if (age.kind == AgeKind::kBorn) from = std::max(from, reaches(age.born));
  if (age.born_before) from = std::max(from, reaches(*age.born_before));
  return from;
}

Instant AdultFrom(const Age& age, const AgeOfConsent& consent) {
  const auto& steps = consent.steps();
  Instant from = AdultFrom(age, steps.back().years);
  for (size_t i = steps.size() - 1; i > 0 && from <= steps[i].from; --i) {
    // An adult all through this step: since when depends on the one before, which ended with it.
    const Instant before = AdultFrom(age, steps[i - 1].years);
    if (before >= steps[i].from) return steps[i].from;
    from = before;
  }
  return from;
}

Instant ChildAgainSince(const Age& age, const AgeOfConsent& consent) {
  const auto& steps = consent.steps();
  for (size_t i = steps.size() - 1; i > 0; --i) {
    const Instant start = steps[i].from;
    if (AdultFrom(age, steps[i - 1].years) < start && AdultFrom(age, steps[i].years) > start) return start;
  }
  return Instant{};
}

Instant CountsFrom(const PurposeChoice& consent) { return std::min(consent.since, consent.LastGiven()); }

Instant ConsentEnd(const PurposeChoice& consent, const Rules& rules) {
  const Notice* notice = rules.FindNotice(consent.notice);
  if (notice == nullptr || notice->consent_lifetime_months == 0) return base::kEndOfTime;
  return base::AddMonths(consent.LastGiven(), notice->consent_lifetime_months);
}

bool MayHaveHadDefault(const SubjectFacts& facts, const Rules& rules) {
  if (!facts.registered) return false;
  const bool has_default = rules.regimes[rules.ForRegion(facts.region).regime].default_rule == DefaultRule::kOptOut;
  return facts.left_a_default || has_default || facts.default_from < rules.OptOutUntil(facts.region);
}

bool Concerns(const Suspension& suspension, Purpose purpose, Region region) {
  return suspension.purpose == purpose &&
         (!suspension.region.IsSet() || suspension.region == region || suspension.region == region.Country());
}

SuspensionState SuspensionOf(Purpose purpose, Region region, const Rules& rules) {
  SuspensionState state;
  for (const Suspension& suspension : rules.suspensions) {
    if (!Concerns(suspension, purpose, region)) continue;
    state.ever = true;
    state.active = state.active || suspension.active;
    state.last_end = std::max(state.last_end, suspension.resumed_at);
  }
  return state;
}

}  // namespace consent::domain
