// The gauges of what people chose, of children, consents and holds, of what stops purposes, and of
// the decision log's last verification.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "daemon/app/gauges.h"
#include "daemon/app/services.h"
#include "daemon/base/month.h"
#include "daemon/domain/review_rate.h"
#include "daemon/ops/families.h"
#include "daemon/service/rows/verification_row.h"

namespace consent::app {
namespace {

using ops::SeriesSink;
using RulesPtr = std::shared_ptr<const domain::Rules>;

constexpr size_t kChoices = 4;
constexpr int kExpiryDays = 30;

// The rules in force; null while the daemon starts.
RulesPtr RulesWhenReady(const service::Core& core) { return core.ready.load() ? core.policies.rules() : nullptr; }

// Countries that the policy names, be it by a subdivision; any other is "other", and so is none.
std::string CountryLabel(domain::Region region, const std::set<domain::Region>& named) {
  const domain::Region country = region.Country();
  return named.count(country) != 0 ? country.ToString() : "other";
}

// Each regime and country where an account lives has all series of each purpose in use, so that a zero is seen as a
// zero. From the start each regime has those of `other` alone: one regime has thirty countries, and where nobody lives
// there is nobody to ask about.
void ReadSubjects(const service::SubjectGauges& gauges, const domain::Rules& rules, SeriesSink& series) {
  using Cells = std::array<std::array<uint64_t, kChoices>, domain::kPurposes>;
  std::map<std::pair<std::string, std::string>, Cells> counts;  // by regime and country
  std::set<domain::Region> named;
  for (const auto& [region, of_region] : rules.regions) named.insert(region.Country());
  for (const domain::Regime& regime : rules.regimes) counts[{regime.name, "other"}];
  for (const service::RegionCount& region : gauges.ByRegion()) {
    Cells& cells =
        counts[{rules.regimes[rules.ForRegion(region.region).regime].name, CountryLabel(region.region, named)}];
    for (size_t purpose = 0; purpose < cells.size(); ++purpose) {
      for (size_t choice = 0; choice < kChoices; ++choice) cells[purpose][choice] += region.subjects[purpose][choice];
    }
  }
  for (const auto& [key, cells] : counts) {
    for (const domain::Purpose purpose : domain::kAllPurposes) {
      const auto& choices = cells[static_cast<size_t>(purpose) - 1];
      for (size_t choice = 0; choice < kChoices; ++choice) {
        if (!rules.purposes.Has(purpose) && (choice == 0 || choices[choice] == 0)) continue;
        series.Set({key.first, key.second, ops::Label(purpose), ops::Label(static_cast<domain::Choice>(choice))},
                   static_cast<double>(choices[choice]));
      }
    }
  }
}

void DefineChildGauges(const service::Core& core, ops::MetricRegistry& registry) {
  const auto counts = std::make_shared<std::map<std::string, service::ChildCount>>();
  registry.AtScrape([&core, counts] {
    const RulesPtr rules = RulesWhenReady(core);
    counts->clear();
    if (rules != nullptr) *counts = core.gauges.Children(*rules, core.Present());
  });
  const auto define = [&](const char* name, const char* help, uint64_t service::ChildCount::*member) {
    registry.Gauge(name, help, {"regime"}, [counts, member](SeriesSink& series) {
      for (const auto& [regime, count] : *counts) series.Set({regime}, static_cast<double>(count.*member));
    });
  };
  using Count = service::ChildCount;
  define("consentd_children", "Registered profiles of children, by the regime of where they live.", &Count::children);
  define("consentd_children_unguarded", "Those of them without a named guardian.", &Count::unguarded);
  define("consentd_children_inactive_without_notice",
         "Those of them who are inactive for as long as the regime says, and of whom no notice was recorded since.",
         &Count::inactive_without_notice);
  define("consentd_children_purge_due", "Those of them whose notice's period is over: what they said is to be purged.",
         &Count::purge_due);
}

void DefineHoldGauges(const service::Core& core, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_holds_in_force", "Legal holds that are in force.",
                 WhenReady(core, [&core] { return core.holds.in_force(); }));
  registry.Gauge("consentd_hold_oldest_timestamp_seconds", "When the oldest of them was placed.",
                 [&core]() -> std::optional<double> {
                   if (!core.ready.load()) return std::nullopt;
                   return TimestampSeconds(core.holds.oldest());
                 });
  registry.Gauge("consentd_holds_past_review", "Legal holds in force whose review is over.",
                 WhenReady(core, [&core] { return core.holds.PastReview(core.Now()); }));
}

void DefineFlagGauges(const service::Core& core, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_joins_open", "Accounts that are being joined into another one: nothing of them is eligible.",
                 WhenReady(core, [&core] { return core.joins.open(); }));
  registry.Gauge("consentd_safety_flags_open",
                 "Recordings flagged SAFETY of which nobody has said that somebody looks after the person.",
                 WhenReady(core, [&core] { return core.safety_flags.open(); }));
  registry.Gauge("consentd_safety_flag_oldest_timestamp_seconds", "When the first of them was reported.",
                 [&core]() -> std::optional<double> {
                   if (!core.ready.load()) return std::nullopt;
                   return TimestampSeconds(core.safety_flags.oldest());
                 });
  registry.Gauge("consentd_safety_flags_overdue",
                 "Those that nobody has acknowledged, or handled, by the policy's time for it.", {"step"},
                 [&core](SeriesSink& series) {
                   const RulesPtr rules = RulesWhenReady(core);
                   if (rules == nullptr) return;
                   const base::Instant now = core.Now();
                   const domain::SafetyPeriods& safety = rules->safety;
                   const auto past = [&](base::Span within) { return core.safety_flags.ReportedBy(now - within); };
                   series.Set({"acknowledge"}, static_cast<double>(past(safety.acknowledge_within).unacknowledged));
                   series.Set({"handle"}, static_cast<double>(past(safety.handle_within).open));
                 });
}

void DefineSuspensionGauges(const service::Core& core, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_suspended", "1 while a purpose is suspended, by region (all: everywhere).",
                 {"purpose", "region"}, [&core](SeriesSink& series) {
                   const RulesPtr rules = core.policies.rules();
                   if (rules == nullptr) return;
                   for (const domain::Purpose purpose : domain::kAllPurposes) {
                     if (rules->purposes.Has(purpose)) series.Set({ops::Label(purpose), "all"}, 0);
                   }
                   for (const domain::Suspension& suspension : rules->suspensions) {
                     if (suspension.purpose == domain::Purpose::kNone) continue;  // consentd_restored_timestamp_seconds
                     const std::string region = suspension.region.IsSet() ? suspension.region.ToString() : "all";
                     series.Set({ops::Label(suspension.purpose), region}, suspension.active ? 1 : 0);
                   }
                 });
  registry.Gauge("consentd_suspensions_in_force", "Suspensions of a purpose that are in force, each region counted.",
                 [&core]() -> std::optional<double> {
                   const RulesPtr rules = core.policies.rules();
                   if (rules == nullptr) return std::nullopt;
                   return std::count_if(rules->suspensions.begin(), rules->suspensions.end(),
                                        [](const domain::Suspension& suspension) { return suspension.active; });
                 });
  registry.Gauge("consentd_suspension_oldest_timestamp_seconds", "When the oldest of them began.",
                 [&core]() -> std::optional<double> {
                   const RulesPtr rules = core.policies.rules();
                   if (rules == nullptr) return std::nullopt;
                   base::Instant oldest;
                   for (const domain::Suspension& suspension : rules->suspensions) {
                     if (!suspension.active) continue;
                     if (!oldest.IsSet() || suspension.suspended_at < oldest) oldest = suspension.suspended_at;
                   }
                   return TimestampSeconds(oldest);
                 });
}

void DefineVerificationGauges(const service::Core& core, ops::MetricRegistry& registry) {
  // Read once a scrape. Where the store cannot say it, or nobody has verified yet, nothing is shown.
  const auto last = std::make_shared<std::optional<service::VerificationRow>>();
  registry.AtScrape([&core, last] {
    last->reset();
    const auto read = service::ReadVerificationRow(core.store);
    if (read.ok() && read->reported_at.IsSet()) *last = *read;
  });
  registry.Gauge("consentd_verification_timestamp_seconds",
                 "When the last verification of the decision log was reported.", [last]() -> std::optional<double> {
                   return last->has_value() ? TimestampSeconds((*last)->reported_at) : std::nullopt;
                 });
  const auto define = [&](const char* name, const char* help, uint64_t service::VerificationRow::*member) {
    registry.Gauge(name, help, [last, member]() -> std::optional<double> {
      if (!last->has_value()) return std::nullopt;
      return static_cast<double>(**last.*member);
    });
  };
  using Row = service::VerificationRow;
  registry.Gauge("consentd_verification_yeses", "Recorded yeses that the last verification looked at.",
                 [last]() -> std::optional<double> {
                   if (!last->has_value()) return std::nullopt;
                   return static_cast<double>((*last)->yeses());
                 });
  registry.Gauge("consentd_verification_last_wrong_timestamp_seconds",
                 "When a verification was last reported that found something wrong.",
                 [last]() -> std::optional<double> {
                   return last->has_value() ? TimestampSeconds((*last)->wrong_at) : std::nullopt;
                 });
  define("consentd_verification_yes_after_no",
         "Yeses that it found to be given after a change of the person's that stood before them.", &Row::late);
  define("consentd_verification_not_given",
         "Yeses that it found the rule not to give, or the policy not in force for, or nobody to know.",
         &Row::not_given);
  define("consentd_verification_not_checkable",
         "Yeses of people whose history was erased since, or of months whose key was destroyed.", &Row::not_checkable);
  define("consentd_verification_log_problems", "Gaps, changed and unreadable records that it found.",
         &Row::log_problems);
}

// Once a population was reported.
void DefineRateGauge(const service::Core& core, const service::KnownReviewRates& counts,
                     ops::MetricRegistry& registry) {
  registry.Gauge("consentd_review_rate_parts_per_million",
                 "Recordings heard this month of a million utterances, its 95 % interval, and what the policy allows.",
                 {"purpose", "country", "figure"}, [&core, &counts](SeriesSink& series) {
                   const RulesPtr rules = RulesWhenReady(core);
                   if (rules == nullptr) return;
                   for (const service::HeardShare& of : counts.Of(base::Month::Of(core.Now()), *rules)) {
                     if (of.utterances == 0) continue;
                     const domain::MeasuredRate rate = domain::MeasureRate(of.heard, of.utterances);
                     const auto set = [&](const char* figure, double value) {
                       series.Set({ops::Label(of.purpose), of.country.ToString(), figure}, value);
                     };
                     set("measured", rate.rate);
                     set("low", rate.low);
                     set("high", rate.high);
                     set("allowed", of.parts_per_million);
                   }
                 });
}

}  // namespace

void DefinePeopleGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  const service::Core& core = sources.core;
  registry.Gauge("consentd_subject_choices",
                 "Accounts by the regime and country where they live, and by what they chose for each purpose.",
                 {"regime", "country", "purpose", "choice"}, [&core](SeriesSink& series) {
                   const RulesPtr rules = RulesWhenReady(core);
                   if (rules != nullptr) ReadSubjects(core.gauges, *rules, series);
                 });
  registry.Gauge("consentd_consents_expiring",
                 "Consents whose lifetime ends today or on one of that many days from now on, by their notice.",
                 {"notice", "within_days"}, [&core](SeriesSink& series) {
                   const RulesPtr rules = RulesWhenReady(core);
                   if (rules == nullptr) return;
                   for (const auto& [notice, count] : core.gauges.ConsentsEnding(*rules, core.Now(), kExpiryDays)) {
                     series.Set({notice, std::to_string(kExpiryDays)}, static_cast<double>(count));
                   }
                 });
  DefineChildGauges(core, registry);
  DefineHoldGauges(core, registry);
  DefineFlagGauges(core, registry);
  DefineSuspensionGauges(core, registry);
  DefineVerificationGauges(core, registry);
  DefineRateGauge(core, sources.services.review_rates, registry);
}

}  // namespace consent::app
