#include "tests/support/model/lookups.h"

#include <algorithm>

namespace consent::model {

using domain::Choice;
using domain::Region;

const domain::Notice* NoticeByNumber(const domain::Rules& rules, domain::NoticeNumber number) {
  if (number == 0) return nullptr;
  for (const domain::Notice& notice : rules.notices) {
    if (notice.number == number) return &notice;
  }
  return nullptr;
}

domain::RegionRules RulesOfRegion(const domain::Rules& rules, Region region) {
  domain::RegionRules unknown;
  unknown.regime = rules.unknown_regime;
  if (!region.IsSet()) return unknown;
  for (const auto& [name, found] : rules.regions) {
    if (name == region) return found;
  }
  for (const auto& [name, found] : rules.regions) {
    if (name == region.Country()) return found;
  }
  return unknown;
}

const domain::AgeOfConsent& AgeOfConsentIn(const domain::Rules& rules, Region region) {
  if (region.IsSet()) {
    for (const auto& [country, years] : rules.ages_of_consent) {
      if (country == region.Country()) return years;
    }
  }
  return rules.default_age_of_consent;
}

SuspensionHistory SuspensionsOf(const domain::Rules& rules, domain::Purpose purpose,
                                const std::vector<Region>& regions) {
  SuspensionHistory history;
  for (const domain::Suspension& suspension : rules.suspensions) {
    if (suspension.purpose != purpose) continue;
    bool concerns = !suspension.region.IsSet();
    for (const Region region : regions) {
      if (!region.IsSet()) continue;
      if (suspension.region == region) concerns = true;
      if (suspension.region == region.Country()) concerns = true;
    }
    if (!concerns) continue;
    history.ever = true;
    if (suspension.active) history.now = true;
    history.last_end = std::max(history.last_end, suspension.resumed_at);
  }
  return history;
}

std::vector<Instant> WiderRefusals(const domain::ScopeFacts& scope, domain::Purpose purpose,
                                   const domain::Rules& rules) {
  std::vector<Instant> refusals;
  if (scope.refused_all_since.IsSet()) refusals.push_back(scope.refused_all_since);
  for (const domain::ControlRefusal& refusal : scope.refused_controls) {
    for (const domain::Control& control : rules.controls) {
      if (control.number == refusal.control && control.purposes.Has(purpose)) refusals.push_back(refusal.since);
    }
  }
  return refusals;
}

namespace {

Instant LastTimeGiven(const domain::PurposeChoice& consent) {
  return consent.renewed.IsSet() ? consent.renewed : consent.since;
}

}  // namespace

Instant FirstConsented(const domain::PurposeChoice& consent) {
  const bool the_other_was_first = consent.renewed.IsSet() && consent.renewed < consent.since;
  return the_other_was_first ? consent.renewed : consent.since;
}

domain::PurposeChoice Says(const domain::ScopeFacts& scope, domain::Purpose purpose, const domain::Rules& rules) {
  const domain::PurposeChoice& own = scope.choices[static_cast<size_t>(purpose) - 1];
  const std::vector<Instant> refusals = WiderRefusals(scope, purpose, rules);
  if (refusals.empty()) return own;
  const Instant last = *std::max_element(refusals.begin(), refusals.end());
  if (own.choice == Choice::kGiven && own.since > last) return own;
  domain::PurposeChoice says = own;
  if (own.choice != Choice::kWithdrawn) says.choice = Choice::kRefused;
  return says;
}

bool HasChosenAfter(const domain::ScopeFacts& account, domain::Purpose purpose, const domain::Rules& rules, Instant t) {
  const domain::PurposeChoice& own = account.choices[static_cast<size_t>(purpose) - 1];
  std::vector<Instant> answers = WiderRefusals(account, purpose, rules);
  if (own.choice == Choice::kGiven) answers.push_back(LastTimeGiven(own));
  if (own.choice == Choice::kRefused || own.choice == Choice::kWithdrawn) answers.push_back(own.since);
  for (const Instant answered : answers) {
    if (answered > t) return true;
  }
  return false;
}

std::optional<Instant> ComesOfAge(const domain::Age& age, int years) {
  std::vector<Instant> not_before = {kAlways};
  const auto birthday = [&](base::Date born) {
    not_before.push_back(base::BegunEverywhere(base::AddYears(born, years)));
  };
  switch (age.kind) {
    case domain::AgeKind::kAdult:
      break;
    case domain::AgeKind::kBorn:
      birthday(age.born);
      break;
    case domain::AgeKind::kChild:
    case domain::AgeKind::kUnknown:
      return std::nullopt;
  }
  if (age.adult_since.IsSet()) not_before.push_back(age.adult_since);
  if (age.born_before.has_value()) birthday(*age.born_before);
  const Instant grown = *std::max_element(not_before.begin(), not_before.end());
  return grown > Instant{0} ? grown : kAlways;
}

namespace {

bool IsAdultAt(const domain::Age& age, const domain::AgeOfConsent& consent, Instant t) {
  int years = consent.steps().front().years;
  for (const domain::AgeOfConsent::Step& step : consent.steps()) {
    if (step.from <= t) years = step.years;
  }
  const std::optional<Instant> grown = ComesOfAge(age, years);
  return grown.has_value() && *grown <= t;
}

// Every moment at which that may turn, in order; kAlways first.
std::vector<Instant> Turns(const domain::Age& age, const domain::AgeOfConsent& consent) {
  std::vector<Instant> turns = {kAlways};
  for (const domain::AgeOfConsent::Step& step : consent.steps()) {
    if (step.from.IsSet()) turns.push_back(step.from);
    if (const std::optional<Instant> grown = ComesOfAge(age, step.years)) turns.push_back(*grown);
  }
  std::sort(turns.begin(), turns.end());
  return turns;
}

}  // namespace

std::optional<Instant> StopsBeingAChild(const domain::Age& age, const domain::AgeOfConsent& consent) {
  std::optional<Instant> since;
  for (const Instant turn : Turns(age, consent)) {
    const bool adult = IsAdultAt(age, consent, turn);
    if (!adult) since.reset();
    if (adult && !since.has_value()) since = turn;
  }
  return since;
}

Instant LastTimeAChildAgain(const domain::Age& age, const domain::AgeOfConsent& consent) {
  Instant last;
  bool was_adult = false;
  for (const Instant turn : Turns(age, consent)) {
    const bool adult = IsAdultAt(age, consent, turn);
    if (was_adult && !adult) last = turn;
    was_adult = adult;
  }
  return last;
}

bool LifetimeIsOver(const domain::PurposeChoice& consent, const domain::Rules& rules, Instant now) {
  const domain::Notice* notice = NoticeByNumber(rules, consent.notice);
  if (notice == nullptr || notice->consent_lifetime_months == 0) return false;
  return base::AddMonths(LastTimeGiven(consent), notice->consent_lifetime_months) <= now;
}

bool IsSuperseded(const domain::PurposeChoice& consent, const domain::Rules& rules, Instant now) {
  const domain::Notice* notice = NoticeByNumber(rules, consent.notice);
  return notice != nullptr && notice->superseded_from <= now;
}

}  // namespace consent::model
