#include "daemon/domain/rules.h"

#include <algorithm>

#include "daemon/domain/standards.h"

namespace consent::domain {

void AgeOfConsent::ChangeTo(int years, Instant at) {
  if (years == this->years()) return;
  // Two changes at one moment are one.
  if (steps_.size() > 1 && steps_.back().from == at) steps_.pop_back();
  if (years != this->years()) steps_.push_back({at, years});
}

const Notice* Rules::FindNotice(NoticeNumber number) const {
  // Numbers are given in a row from 1, so nearly every notice lies where its number says.
  const size_t place = number - size_t{1};
  if (place < notices.size() && notices[place].number == number) return &notices[place];
  const auto at = std::lower_bound(notices.begin(), notices.end(), number,
                                   [](const Notice& notice, NoticeNumber n) { return notice.number < n; });
  return at != notices.end() && at->number == number ? &*at : nullptr;
}

const Notice* Rules::FindNotice(std::string_view wanted) const {
  for (const Notice& notice : notices) {
    if (notice.version == wanted) return &notice;
  }
  return nullptr;
}

const Control* Rules::FindControl(ControlNumber number) const {
  for (const Control& control : controls) {
    if (control.number == number) return &control;
  }
  return nullptr;
}

const Control* Rules::FindControl(std::string_view name) const {
  for (const Control& control : controls) {
    if (control.name == name) return &control;
  }
  return nullptr;
}

RegionRules Rules::ForRegion(Region region) const {
  if (region.IsSet()) {
    auto at = regions.find(region);
    if (at == regions.end()) at = regions.find(region.Country());
    if (at != regions.end()) return at->second;
  }
  return RegionRules{unknown_regime, Instant{}};
}

Instant Rules::OptOutUntil(Region region) const {
  Instant latest;
  for (const Region named : {region, region.Country()}) {
    if (const auto at = opt_out_until.find(named); at != opt_out_until.end()) latest = std::max(latest, at->second);
  }
  return latest;
}

const ReviewCaps* Rules::FindReviewCaps(Purpose purpose) const {
  for (const ReviewCaps& caps : review_caps) {
    if (caps.purpose == purpose) return &caps;
  }
  return nullptr;
}

const AgeOfConsent& Rules::AgeOfConsentIn(Region region) const {
  const auto at = ages_of_consent.find(region.Country());
  return at == ages_of_consent.end() ? default_age_of_consent : at->second;
}

bool Rules::MayLiveIn(Region region) const {
  if (IsAssigned(region)) return true;
  return IsUserAssigned(region) && (regions.contains(region) || regions.contains(region.Country()));
}

bool Rules::Knows(Region region) const {
  if (IsAssigned(region)) return true;
  if (!region.IsSet()) return false;
  const Region country = region.Country();
  if (regions.contains(region) || regions.contains(country)) return true;
  const auto names = [country](const Countries& countries) {
    return std::binary_search(countries.named.begin(), countries.named.end(), country);
  };
  return std::any_of(regimes.begin(), regimes.end(), [&](const Regime& regime) {
    return names(regime.countries) ||
           std::any_of(regime.other_countries.begin(), regime.other_countries.end(),
                       [&](const PurposeCountries& other) { return names(other.countries); });
  });
}

}  // namespace consent::domain
