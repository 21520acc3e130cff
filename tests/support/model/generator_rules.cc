#include <algorithm>

#include "tests/support/model/generator.h"

namespace consent::model {

using base::AddMonths;
using base::Days;
using domain::Instant;
using domain::Purpose;
using domain::Region;

Instant Weather::Near(Instant t) {
  if (!dice.Chance(0.25)) return t;
  return t + base::Microseconds(dice.Chance(0.5) ? 1 : -1);
}

Instant Weather::Recently() {
  return Near(now - dice.Pick({base::Microseconds(0), base::Microseconds(1), base::Seconds(1), base::Hours(1),
                               base::Hours(24), base::Days(2)}));
}

Instant Weather::Ago() {
  if (dice.Chance(0.5)) return Near(now - dice.Pick({Days(10), Days(30), Days(45), Days(90), Days(100)}));
  return Near(AddMonths(now, -dice.Pick({1, 3, 6})));
}

Instant Weather::LongAgo() { return Near(AddMonths(now, -dice.Pick({6, 12, 18, 24, 36}))); }

namespace {

Region Parsed(const char* text) {
  Region region;
  Region::Parse(text, &region);
  return region;
}

// The policy knows the first five; CA's country is known, and the last one is nowhere.
const std::vector<Region>& AllRegions() {
  static const std::vector<Region> regions = {Parsed("DE"),    Parsed("FR"), Parsed("US"),
                                              Parsed("US-CA"), Parsed("BR"), Parsed("US-TX"),
                                              Parsed("DE-BY"), Region(),     Parsed("ZZ")};
  return regions;
}

domain::PurposeSet AllPurposes() {
  domain::PurposeSet set;
  for (const Purpose purpose : domain::kAllPurposes) set.Add(purpose);
  return set;
}

domain::PurposeSet SomePurposes(Weather& weather) {
  domain::PurposeSet set;
  for (const Purpose purpose : domain::kAllPurposes) {
    if (weather.dice.Chance(0.5)) set.Add(purpose);
  }
  return set;
}

domain::Countries MakeCountries(Weather& weather) {
  domain::Countries countries;
  countries.any = weather.dice.Chance(0.5);
  if (countries.any) return countries;
  for (const char* country : {"DE", "FR", "US"}) {
    if (!weather.Dirty()) countries.named.push_back(Parsed(country));
  }
  std::sort(countries.named.begin(), countries.named.end());
  return countries;
}

domain::Regime MakeRegime(Weather& weather, domain::DefaultRule rule) {
  Dice& dice = weather.dice;
  domain::Regime regime;
  regime.default_rule = rule;
  regime.false_wake_ttl = dice.Pick({Days(0), base::Hours(1), Days(2), Days(30), Days(90)});
  regime.countries = MakeCountries(weather);
  for (const Purpose purpose : domain::kAllPurposes) {
    if (purpose != Purpose::kHumanReview && dice.Chance(0.1)) {
      regime.other_countries.push_back({purpose, MakeCountries(weather)});
    }
  }
  regime.any_site = dice.Chance(0.6);
  if (!regime.any_site) {
    for (const char* site : {"berlin", "boston"}) {
      if (!weather.Dirty()) regime.sites.push_back(site);
    }
  }
  regime.employees = !weather.Dirty();
  regime.contractors = dice.Chance(0.6);
  regime.allow_several_speakers = dice.Chance(0.5);
  regime.allow_unmatched_speakers = dice.Chance(0.5);
  regime.allow_unidentified_single_adult = dice.Chance(0.6);
  regime.child_inactive_months = dice.Pick({1, 3, 18});
  regime.child_notice_period = dice.Pick({Days(0), Days(10), Days(30), Days(90)});
  return regime;
}

std::vector<domain::Notice> MakeNotices(Weather& weather) {
  Dice& dice = weather.dice;
  std::vector<domain::Notice> notices;
  domain::NoticeNumber number = 0;
  for (int i = 0; i < 4; ++i) {
    number = static_cast<domain::NoticeNumber>(number + 1 + dice.Below(2) * (i == 0 ? 0 : 1));
    domain::Notice notice;
    notice.number = number;
    notice.purposes = weather.Dirty() ? SomePurposes(weather) : AllPurposes();
    notice.says_people_listen = !weather.Dirty();
    notice.covers_past = dice.Chance(0.3);
    notice.valid_from = weather.LongAgo();
    if (weather.Dirty()) notice.superseded_from = dice.Pick({weather.Recently(), weather.Ago(), weather.now + Days(1)});
    notice.consent_lifetime_months = dice.Chance(0.5) ? 0 : dice.Pick({1, 3, 6, 12, 24, 120});
    notices.push_back(notice);
  }
  return notices;
}

std::vector<domain::Suspension> MakeSuspensions(Weather& weather) {
  Dice& dice = weather.dice;
  std::vector<domain::Suspension> suspensions;
  if (!weather.Dirty() && !dice.Chance(0.1)) return suspensions;
  const uint64_t count = 1 + dice.Below(3);
  for (uint64_t i = 0; i < count; ++i) {
    domain::Suspension suspension;
    suspension.purpose = dice.Chance(0.5) ? Purpose::kHumanReview : domain::kAllPurposes[dice.Below(domain::kPurposes)];
    suspension.region = dice.Chance(0.3) ? Region() : MakeRegion(weather);
    suspension.suspended_at = weather.LongAgo();
    suspension.active = weather.Dirty();
    if (!suspension.active || dice.Chance(0.5)) suspension.resumed_at = weather.Ago();
    suspensions.push_back(suspension);
  }
  return suspensions;
}

}  // namespace

Region MakeRegion(Weather& weather) {
  if (weather.Dirty()) return weather.dice.Pick(AllRegions());
  return AllRegions()[weather.dice.Below(6)];
}

domain::AgeOfConsent MakeAgeOfConsent(Weather& weather, int years) {
  domain::AgeOfConsent consent(years);
  if (!weather.dice.Chance(0.25)) return consent;
  std::vector<Instant> changes = {weather.LongAgo(), weather.Ago(), weather.Recently()};
  std::sort(changes.begin(), changes.end());
  for (const Instant at : changes) consent.ChangeTo(weather.dice.Pick({13, 14, 16, 18, 21}), at);
  return consent;
}

domain::Rules MakeRules(Weather& weather) {
  Dice& dice = weather.dice;
  domain::Rules rules;
  rules.version = "generated";
  rules.service_began_at = base::AddMonths(weather.now, -120);
  rules.longest_answer_age = dice.Pick({base::Seconds(0), base::Seconds(60), base::Hours(1), Days(30)});
  if (weather.Dirty() && dice.Chance(0.1)) rules.restored_at = weather.Recently();
  rules.default_uncertainty = dice.Pick({base::Seconds(0), base::Microseconds(1), base::Seconds(60), base::Hours(1)});
  rules.regimes.push_back(MakeRegime(weather, domain::DefaultRule::kOptIn));
  rules.regimes.push_back(MakeRegime(weather, domain::DefaultRule::kOptIn));
  rules.regimes.push_back(MakeRegime(weather, domain::DefaultRule::kOptOut));
  rules.regimes.push_back(MakeRegime(weather, domain::DefaultRule::kOptOut));
  for (size_t i = 0; i < 5; ++i) {
    domain::RegionRules found;
    found.regime = 1 + dice.Below(3);
    if (rules.regimes[found.regime].default_rule == domain::DefaultRule::kOptOut) {
      found.opt_out_since = weather.Dirty() ? weather.Ago() : weather.LongAgo();
      if (weather.Dirty()) found.opt_out_since = Instant();
    }
    rules.regions[AllRegions()[i]] = found;
  }
  for (Instant& since : rules.in_use_since) {
    if (dice.Chance(0.7)) since = weather.Dirty() ? weather.Ago() : weather.LongAgo();
  }
  if (dice.Chance(0.5)) rules.ages_of_consent[AllRegions()[0]] = MakeAgeOfConsent(weather, dice.Pick({13, 16}));
  if (dice.Chance(0.5)) rules.ages_of_consent[AllRegions()[2]] = MakeAgeOfConsent(weather, dice.Pick({13, 18}));
  rules.default_age_of_consent = MakeAgeOfConsent(weather, dice.Pick({14, 18, 21}));
  rules.purposes = weather.Dirty() ? SomePurposes(weather) : AllPurposes();
  for (domain::ControlNumber number = 1; number <= 3; ++number) {
    domain::Control control;
    control.number = number;
    control.purposes = SomePurposes(weather);
    if (dice.Chance(0.8)) rules.controls.push_back(control);
  }
  rules.notices = MakeNotices(weather);
  rules.suspensions = MakeSuspensions(weather);
  return rules;
}

}  // namespace consent::model
