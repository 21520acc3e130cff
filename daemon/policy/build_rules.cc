#include <algorithm>
#include <map>
#include <utility>

#include "daemon/policy/reading.h"
#include "daemon/policy/state.h"
#include "daemon/policy/texts.h"

namespace consent::policy {
namespace {

using base::Instant;

template <typename Texts>
domain::Countries ToCountries(const Texts& texts) {
  domain::Countries countries;
  for (const std::string& text : texts) {
    domain::Region country;
    if (text == kAny) {
      countries.any = true;
    } else if (domain::Region::Parse(text, &country)) {
      countries.named.push_back(country);
    }
  }
  std::sort(countries.named.begin(), countries.named.end());
  return countries;
}

domain::Regime ToRegime(const v1::Policy& policy, const v1::Regime& from) {
  domain::Regime to;
  to.name = from.name();
  const bool opt_out = from.default_rule() == v1::DEFAULT_RULE_OPT_OUT;
  to.default_rule = opt_out ? domain::DefaultRule::kOptOut : domain::DefaultRule::kOptIn;
  to.false_wake_ttl = base::Seconds(from.false_wake_ttl_seconds());
  to.countries = ToCountries(from.allowed_countries());
  for (const v1::PurposeCountries& other : from.other_countries()) {
    to.other_countries.push_back(
        {static_cast<domain::Purpose>(other.purpose()), ToCountries(other.allowed_countries())});
  }
  for (const std::string& site : from.allowed_sites()) {
    if (site == kAny) {
      to.any_site = true;
    } else {
      to.sites.push_back(site);
    }
  }
  std::sort(to.sites.begin(), to.sites.end());
  for (const int reviewer : from.allowed_reviewer_classes()) {
    if (reviewer == v1::REVIEWER_CLASS_EMPLOYEE) to.employees = true;
    if (reviewer == v1::REVIEWER_CLASS_CONTRACTOR) to.contractors = true;
  }
  to.allow_several_speakers = opt_out && from.allow_several_speakers();
  to.allow_unmatched_speakers = opt_out && from.allow_unmatched_speakers();
  to.allow_unidentified_single_adult = from.allow_unidentified_single_adult();
  to.child_inactive_months = from.child_inactive_months();
  to.child_notice_period = base::Days(from.child_notice_days());
  to.deletion = PeriodsOf(from);
  to.deletion.holidays = HolidaysOf(policy, from.holiday_calendar());
  to.deletion.zones = ZonesOf(from);
  to.ask_again_after = base::Days(AskAgainDays(from));
  for (const v1::AppealText& text : from.appeal_texts()) {
    to.appeal_texts.push_back({text.language(), text.sentence(), text.url()});
  }
  return to;
}

std::vector<domain::Notice> BuildNotices(const v1::Policy& policy, const State& state) {
  const std::map<std::string, Instant> superseded_from = SupersededFrom(policy);
  std::vector<domain::Notice> notices;
  for (const v1::Notice& from : policy.notices()) {
    const auto number = state.notices.find(from.version());
    if (number == state.notices.end()) continue;
    domain::Notice to;
    to.version = from.version();
    to.number = number->second;
    to.languages.assign(from.languages().begin(), from.languages().end());
    to.purposes = ToPurposeSet(from.purposes());
    to.says_people_listen = from.says_people_listen();
    to.covers_past = from.covers_past();
    to.valid_from = ToInstant(from.valid_from());
    if (const auto at = superseded_from.find(from.version()); at != superseded_from.end()) {
      to.superseded_from = at->second;
    }
    to.consent_lifetime_months = from.consent_lifetime_months();
    to.texts = ToTexts(from.texts());
    notices.push_back(std::move(to));
  }
  std::sort(notices.begin(), notices.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return notices;
}

std::vector<domain::Control> BuildControls(const v1::Policy& policy, const State& state) {
  std::vector<domain::Control> controls;
  for (const v1::Control& from : policy.controls()) {
    const auto entry = state.controls.find(from.name());
    if (entry == state.controls.end()) continue;
    controls.push_back({from.name(), entry->second.number, ToPurposeSet(from.purposes()), ToTexts(from.texts())});
  }
  std::sort(controls.begin(), controls.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return controls;
}

absl::btree_map<domain::Region, domain::RegionRules> BuildRegions(const v1::Policy& policy, const State& state) {
  const RegimeIndex index(policy);
  absl::btree_map<domain::Region, domain::RegionRules> regions;
  const auto add = [&](domain::Region region) {
    domain::RegionRules rules;
    rules.regime = static_cast<size_t>(index.For(region));
    if (index.OptOut(region)) {
      const auto own = state.opt_out_since.find(region);
      const bool known = own != state.opt_out_since.end() && own->second.IsSet();
      rules.opt_out_since = known ? own->second : base::kEndOfTime;
    }
    regions.emplace(region, rules);
  };
  for (const auto& [region, regime] : index.named()) add(region);
  for (const auto& [region, since] : state.opt_out_since) add(region);
  return regions;
}

}  // namespace

domain::Rules BuildRules(const Document& document, const State& state, std::vector<domain::Suspension> suspensions) {
  const v1::Policy& policy = document.policy();
  domain::Rules rules;
  rules.version = policy.version();
  rules.hash = document.hash();
  rules.longest_answer_age = base::Seconds(policy.longest_answer_age_seconds());
  rules.default_uncertainty = base::Milliseconds(policy.default_capture_uncertainty_ms());
  rules.service_began_at = ServiceBeganAt(policy);
  for (const v1::Regime& regime : policy.regimes()) rules.regimes.push_back(ToRegime(policy, regime));
  rules.unknown_regime = static_cast<size_t>(RegimeIndex(policy).unknown());
  rules.regions = BuildRegions(policy, state);
  rules.opt_out_until.insert(state.opt_out_until.begin(), state.opt_out_until.end());
  for (const auto& [country, consent] : state.ages_of_consent) {
    if (country.IsSet()) {
      rules.ages_of_consent.emplace(country, consent);
    } else {
      rules.default_age_of_consent = consent;
    }
  }
  rules.purposes = InUse(policy);
  rules.recorded = ToPurposeSet(policy.recorded_purposes());
  rules.in_use_since = state.in_use_since;
  rules.controls = BuildControls(policy, state);
  for (const auto& [name, control] : state.controls) {
    if (rules.FindControl(name) == nullptr) {
      rules.retired_controls.push_back({name, control.number, control.last_listed});
    }
  }
  rules.notices = BuildNotices(policy, state);
  const v1::RetentionChoices& choices = policy.retention_choices();
  rules.offers_until_deleted = choices.until_deleted();
  rules.offers_do_not_save = choices.do_not_save();
  for (const int months : choices.months()) rules.offered_months.push_back(static_cast<uint8_t>(months));
  std::sort(rules.offered_months.begin(), rules.offered_months.end());
  rules.suspensions = std::move(suspensions);
  for (const domain::Suspension& suspension : rules.suspensions) {
    const bool is_of_restore = suspension.purpose == domain::Purpose::kNone && suspension.active;
    if (is_of_restore) rules.restored_at = suspension.suspended_at;
  }
  rules.approvals = ApprovalsOf(policy);
  rules.safety.hold = base::Hours(policy.safety_hold_hours());
  rules.safety.acknowledge_within = base::Hours(SafetyAcknowledgeHours(policy));
  rules.safety.handle_within = base::Hours(SafetyHandleHours(policy));
  rules.review_caps = ReviewCapsOf(policy);
  return rules;
}

}  // namespace consent::policy
