#include "daemon/policy/reading.h"

#include <algorithm>

#include "daemon/domain/rules.h"

namespace consent::policy {

namespace {

domain::Period ToPeriod(const v1::Period& period) {
  switch (period.unit()) {
    case v1::PERIOD_UNIT_BUSINESS_DAYS:
      return {period.count(), domain::PeriodUnit::kBusinessDays};
    case v1::PERIOD_UNIT_MONTHS:
      return {period.count(), domain::PeriodUnit::kMonths};
    default:
      return {period.count(), domain::PeriodUnit::kCalendarDays};
  }
}

}  // namespace

RegimeIndex::RegimeIndex(const v1::Policy& policy) : policy_(policy) {
  for (int i = 0; i < policy.regimes_size(); ++i) {
    if (policy.regimes(i).name() == policy.unknown_region_regime()) unknown_ = i;
    for (const std::string& text : policy.regimes(i).regions()) {
      domain::Region region;
      if (domain::Region::Parse(text, &region)) named_.emplace(region, i);
    }
  }
}

int RegimeIndex::For(domain::Region region) const {
  if (const auto at = named_.find(region); at != named_.end()) return at->second;
  if (const auto at = named_.find(region.Country()); at != named_.end()) return at->second;
  return unknown_;
}

bool RegimeIndex::OptOut(domain::Region region) const {
  return policy_.regimes(For(region)).default_rule() == v1::DEFAULT_RULE_OPT_OUT;
}

base::Instant ToInstant(const google::protobuf::Timestamp& time) {
  return std::min(base::Instant{time.seconds() * 1'000'000 + time.nanos() / 1'000}, base::kLastInstant);
}

base::Instant ServiceBeganAt(const v1::Policy& policy) {
  constexpr base::Instant kBeforeAny{1'262'304'000'000'000};  // 2010-01-01T00:00:00Z
  return policy.has_service_began_at() ? ToInstant(policy.service_began_at()) : kBeforeAny;
}

int BackupKeepDays(const v1::Policy& policy) {
  constexpr int kDefaultDays = 30;
  return policy.backup_keep_days() == 0 ? kDefaultDays : policy.backup_keep_days();
}

int DecisionLogKeepMonths(const v1::Policy& policy) {
  constexpr int kDefaultMonths = 24;
  return policy.decision_log_keep_months() == 0 ? kDefaultMonths : policy.decision_log_keep_months();
}

int SafetyAcknowledgeHours(const v1::Policy& policy) {
  constexpr int kDefaultHours = 24;
  return policy.safety_acknowledge_hours() == 0 ? kDefaultHours : policy.safety_acknowledge_hours();
}

int SafetyHandleHours(const v1::Policy& policy) {
  constexpr int kDefaultHours = 72;
  return policy.safety_handle_hours() == 0 ? std::max(kDefaultHours, SafetyAcknowledgeHours(policy))
                                           : policy.safety_handle_hours();
}

std::map<std::string, base::Instant> SupersededFrom(const v1::Policy& policy) {
  std::map<std::string, base::Instant> superseded;
  for (const v1::Notice& notice : policy.notices()) {
    for (const std::string& other : notice.supersedes()) {
      base::Instant& from = superseded.emplace(other, base::kEndOfTime).first->second;
      from = std::min(from, ToInstant(notice.valid_from()));
    }
  }
  return superseded;
}

std::vector<base::TimeZone> ZonesOf(const v1::Regime& regime) {
  if (regime.time_zone().empty()) return {};
  if (const auto zone = base::TimeZone::Load(regime.time_zone())) return {*zone};
  return {base::TimeZone::EastOfUtc(base::Hours(14)), base::TimeZone::EastOfUtc(base::Hours(-12))};
}

int AskAgainDays(const v1::Regime& regime) {
  if (regime.ask_again_after_days() > 0) return regime.ask_again_after_days();
  return static_cast<int>(domain::Regime().ask_again_after.micros / base::Days(1).micros);
}

domain::DeadlineRules PeriodsOf(const v1::Regime& regime) {
  domain::DeadlineRules rules;
  if (regime.has_appeal_deadlines()) {
    rules.appeal_acknowledgement = ToPeriod(regime.appeal_deadlines().acknowledgement());
    rules.appeal_answer = ToPeriod(regime.appeal_deadlines().answer());
  }
  if (!regime.has_deletion_deadlines()) return rules;
  const v1::DeletionDeadlines& stated = regime.deletion_deadlines();
  rules.confirmation = ToPeriod(stated.confirmation());
  rules.completion = ToPeriod(stated.completion());
  if (stated.has_extension()) {
    rules.extension = domain::Extension{ToPeriod(stated.extension()), ToPeriod(stated.extension_notice())};
  }
  return rules;
}

std::vector<base::Date> HolidaysOf(const v1::Policy& policy, const std::string& name) {
  std::vector<base::Date> holidays;
  for (const v1::HolidayCalendar& calendar : policy.holiday_calendars()) {
    if (calendar.name() != name) continue;
    for (const std::string& text : calendar.dates()) {
      base::Date date;
      if (base::ParseDate(text, &date)) holidays.push_back(date);
    }
  }
  return holidays;
}

domain::PurposeSet InUse(const v1::Policy& policy) { return ToPurposeSet(policy.purposes()); }

}  // namespace consent::policy
