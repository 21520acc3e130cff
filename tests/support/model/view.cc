#include "tests/support/model/view.h"

#include <algorithm>
#include <vector>

#include "daemon/domain/standards.h"

namespace consent::model {

using domain::DefaultRule;
using domain::Flags;
using domain::Regime;
using domain::ScopeFacts;
using domain::ScopeKind;

bool Law::OptIn() const {
  for (const Regime& regime : regimes) {
    if (regime.default_rule == DefaultRule::kOptIn) return true;
  }
  return false;
}

domain::Span Law::FalseWakeTtl() const {
  domain::Span shortest = surely.front().false_wake_ttl;
  for (const Regime& regime : surely) {
    if (regime.default_rule == DefaultRule::kOptIn) return domain::Span{0};
    shortest = std::min(shortest, regime.false_wake_ttl);
  }
  return shortest;
}

namespace {

const domain::Countries& CountriesOf(const Regime& regime, domain::Purpose purpose) {
  for (const domain::PurposeCountries& other : regime.other_countries) {
    if (other.purpose == purpose) return other.countries;
  }
  return regime.countries;
}

// ISO 3166-1 assigns it, or the policy uses it anywhere.
bool CodeMeansSomething(domain::Region country, const domain::Rules& rules) {
  if (domain::IsAssigned(country)) return true;
  if (!country.IsSet()) return false;
  for (const auto& [region, unused] : rules.regions) {
    if (region == country) return true;
  }
  for (const Regime& regime : rules.regimes) {
    std::vector<domain::Countries> lists = {regime.countries};
    for (const domain::PurposeCountries& other : regime.other_countries) lists.push_back(other.countries);
    for (const domain::Countries& list : lists) {
      if (std::count(list.named.begin(), list.named.end(), country) != 0) return true;
    }
  }
  return false;
}

}  // namespace

bool Law::AnyCountryAllowed(domain::Purpose purpose) const {
  for (const Regime& regime : regimes) {
    if (!CountriesOf(regime, purpose).any) return false;
  }
  return true;
}

bool Law::CountryAllowed(domain::Purpose purpose, domain::Region country) const {
  for (const Regime& regime : regimes) {
    const domain::Countries& countries = CountriesOf(regime, purpose);
    if (countries.any) continue;
    if (std::count(countries.named.begin(), countries.named.end(), country) == 0) return false;
  }
  return true;
}

bool Law::AnySiteAllowed() const {
  for (const Regime& regime : regimes) {
    if (!regime.any_site) return false;
  }
  return true;
}

bool Law::SiteAllowed(const std::string& site) const {
  for (const Regime& regime : regimes) {
    if (regime.any_site) continue;
    if (std::count(regime.sites.begin(), regime.sites.end(), site) == 0) return false;
  }
  return true;
}

bool Law::ClassAllowed(domain::ReviewerClass reviewer) const {
  for (const Regime& regime : regimes) {
    if (reviewer == domain::ReviewerClass::kEmployee && !regime.employees) return false;
    if (reviewer == domain::ReviewerClass::kContractor && !regime.contractors) return false;
  }
  return true;
}

bool Law::SeveralSpeakersAllowed() const {
  if (OptIn()) return false;
  for (const Regime& regime : regimes) {
    if (!regime.allow_several_speakers) return false;
  }
  return true;
}

bool Law::UnmatchedSpeakersAllowed() const {
  if (OptIn()) return false;
  for (const Regime& regime : regimes) {
    if (!regime.allow_unmatched_speakers) return false;
  }
  return true;
}

bool Law::UnidentifiedSingleAdultAllowed() const {
  for (const Regime& regime : regimes) {
    if (!regime.allow_unidentified_single_adult) return false;
  }
  return true;
}

int Law::ChildInactiveMonths(const std::vector<Regime>& of) {
  int shortest = of.front().child_inactive_months;
  for (const Regime& regime : of) shortest = std::min(shortest, regime.child_inactive_months);
  return shortest;
}

domain::Span Law::ChildNoticePeriod() const {
  std::vector<domain::Span> all;
  for (const Regime& regime : surely) all.push_back(regime.child_notice_period);
  return *std::min_element(all.begin(), all.end());
}

namespace {

void Add(domain::Region region, const domain::Rules& rules, bool surely, Law* law) {
  const domain::RegionRules found = RulesOfRegion(rules, region);
  const Regime regime = found.regime < rules.regimes.size() ? rules.regimes[found.regime] : Regime();
  law->regions.push_back(region);
  law->regimes.push_back(regime);
  if (surely) law->surely.push_back(regime);
  law->default_began = std::max(law->default_began, found.opt_out_since);
}

Law MergedLaw(const domain::SubjectFacts* subject, const domain::RecordingFacts& recording,
              const domain::Rules& rules) {
  std::vector<domain::Region> regions;
  if (subject != nullptr) regions.push_back(subject->region);
  if (recording.has_region) regions.push_back(recording.region);
  // Of an unknown subject nothing is named by whom a region could be; the policy's rules for unknown regions hold.
  if (regions.empty()) regions.push_back(domain::Region());
  Law law;
  for (const domain::Region region : regions) {
    Add(region, rules, true, &law);
    law.ages_of_consent.push_back(AgeOfConsentIn(rules, region));
  }
  return law;
}

// Every scope of one kind with one handle; there is at most one. What was folded together has no name.
std::vector<ScopeFacts> ScopesOf(const domain::SubjectFacts& subject, ScopeKind kind, const base::Bytes16& handle) {
  std::vector<ScopeFacts> found;
  if (handle == base::Bytes16{}) return found;
  for (const ScopeFacts& scope : subject.scopes) {
    if (scope.kind == kind && scope.handle == handle) found.push_back(scope);
  }
  return found;
}

}  // namespace

View::View(const domain::SubjectFacts* subject_in, const domain::RecordingState& marks_in,
           const domain::Question& question, const domain::Rules& rules_in)
    : subject(subject_in),
      marks(marks_in),
      recording(question.recording),
      place(question.place),
      rules(rules_in),
      now(question.now.latest),
      doubtful(question.now.doubtful),
      law(MergedLaw(subject_in, question.recording, rules_in)) {
  flags = recording.flags | marks.flags;
  if (!CodeMeansSomething(place.country, rules)) place.country = domain::Region();
  accidental = recording.wake == domain::Wake::kAccidental || (flags & Flags::kAccidental) != 0;

  if (question.now.earliest.IsSet() && !doubtful) surely_now = question.now.earliest;

  // A stamp of before the service began is that of a clock that was never set, and nothing has arrived that is still to
  // come.
  const Instant stamp = recording.ingested_at;
  if (stamp.IsSet() && stamp >= rules.service_began_at && stamp <= now) ingested = stamp;
  if (recording.captured_at.IsSet()) {
    const Instant arrived = ingested.value_or(now);
    const domain::Span uncertainty = recording.has_uncertainty ? recording.uncertainty : rules.default_uncertainty;
    time_invalid = recording.captured_at - uncertainty > arrived || recording.captured_at < rules.service_began_at;
    if (!time_invalid) {
      const Instant t = std::min(recording.captured_at, arrived);
      has_time = true;
      lo = t - uncertainty;
      hi = t + uncertainty;
    }
  }

  if (subject == nullptr) return;
  for (const domain::FormerRegion& former : subject->former_regions) {
    const bool came_later = has_time && lo > former.until;
    if (came_later) continue;
    const bool surely_before = has_time ? hi < former.until : ingested.has_value() && *ingested < former.until;
    if (former.several) {
      // Nobody knows its rules: a regime that allows nothing.
      law.regimes.emplace_back();
    } else {
      Add(former.region, rules, surely_before, &law);
      // Where it lives too, since two accounts were joined: nobody is an adult before that region says so.
      if (former.until == domain::kStillThere) {
        law.ages_of_consent.push_back(AgeOfConsentIn(rules, former.region));
        law.other_homes.push_back(AgeOfConsentIn(rules, former.region));
      }
    }
  }
  accounts.push_back(subject->scopes[0]);
  for (const base::ProfileHandle& profile : recording.profiles) {
    const auto found = ScopesOf(*subject, ScopeKind::kProfile, profile.bytes);
    if (found.empty()) names_strange_profile = true;
    for (const ScopeFacts& scope : found) profiles.push_back(scope);
  }
  if (recording.device.IsSet()) {
    devices = ScopesOf(*subject, ScopeKind::kDevice, recording.device.bytes);
    if (devices.empty()) names_strange_device = true;
  }
}

std::vector<ScopeFacts> View::NamedScopes() const {
  std::vector<ScopeFacts> all = accounts;
  all.insert(all.end(), profiles.begin(), profiles.end());
  all.insert(all.end(), devices.begin(), devices.end());
  return all;
}

std::optional<Instant> View::ComesOfAgeEverywhere(const ScopeFacts& profile) const {
  Instant last = kAlways;
  for (const domain::AgeOfConsent& consent : law.ages_of_consent) {
    const std::optional<Instant> grown = StopsBeingAChild(profile.age, consent);
    if (!grown.has_value()) return std::nullopt;
    last = std::max(last, *grown);
  }
  return last;
}

bool View::IsChild(const ScopeFacts& profile) const {
  const std::optional<Instant> grown = ComesOfAgeEverywhere(profile);
  return !grown.has_value() || now < *grown;
}

bool View::WasChildAtCapture(const ScopeFacts& profile) const {
  const std::optional<Instant> grown = ComesOfAgeEverywhere(profile);
  if (!grown.has_value()) return true;
  return has_time ? lo < *grown : *grown != kAlways;
}

// A profile without a record has no facts, as an unknown subject has none: it is a missing fact and nothing else.
bool View::NamesAChild() const {
  for (const ScopeFacts& profile : profiles) {
    if (IsChild(profile)) return true;
  }
  return false;
}

bool View::MayHaveGuardian(const ScopeFacts& profile) const {
  for (const domain::AgeOfConsent& consent : law.ages_of_consent) {
    const std::optional<Instant> grown = StopsBeingAChild(profile.age, consent);
    if (grown.has_value() && *grown <= now) return false;
  }
  return true;
}

bool View::HadEndedOnceAtHome(const ScopeFacts& scope, const domain::PurposeChoice& consent) const {
  if (scope.kind != ScopeKind::kProfile || !consent.by_guardian) return false;
  return consent.has_ended || FirstConsented(consent) < LastTimeAChildAgain(scope.age, law.ages_of_consent.front());
}

bool View::HadEndedOnce(const ScopeFacts& scope, const domain::PurposeChoice& consent) const {
  if (scope.kind != ScopeKind::kProfile || !consent.by_guardian) return false;
  return HadEndedOnceAtHome(scope, consent) ||
         std::any_of(law.other_homes.begin(), law.other_homes.end(), [&](const domain::AgeOfConsent& home) {
           return FirstConsented(consent) < LastTimeAChildAgain(scope.age, home);
         });
}

bool View::GivenBeforeAdulthood(const ScopeFacts& scope, const domain::PurposeChoice& consent) const {
  if (scope.kind != ScopeKind::kProfile || consent.by_guardian || IsChild(scope)) return false;
  return FirstConsented(consent) < ComesOfAgeEverywhere(scope).value();
}

}  // namespace consent::model
