#include "daemon/app/gauges.h"

#include <chrono>
#include <memory>

#include "daemon/app/services.h"
#include "daemon/base/hash.h"
#include "daemon/ops/families.h"
#include "daemon/ops/process_metrics.h"

namespace consent::app {
namespace {

using ops::SeriesSink;

void DefineIndexGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  const service::FactsIndex& index = sources.core.index;
  registry.Gauge("consentd_index_subjects", "Subjects whose facts are in memory.",
                 [&index] { return static_cast<double>(index.size()); });
  registry.Gauge("consentd_index_max_subjects", "Subjects that may be in memory.",
                 [most = sources.max_index_subjects] { return static_cast<double>(most); });
  registry.Gauge("consentd_index_bytes", "Memory of the facts index.",
                 [&index] { return static_cast<double>(index.memory_bytes()); });
  registry.Gauge("consentd_index_complete", "1 while every subject is in memory; 0: some are read from the store.",
                 [&index] { return index.complete() ? 1 : 0; });
}

void DefineClockMetrics(const base::TrustedClock& time, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_clock_offset_seconds", "How far the wall clock is ahead of the trusted time.",
                 [&time] { return static_cast<double>(time.Look().Offset().micros) / 1e6; });
  registry.Gauge("consentd_clock_trusted",
                 "1 while the wall clock is believed; 0: nothing is eligible, and loosenings wait.",
                 [&time] { return time.Look().doubtful ? 0 : 1; });
  registry.Counter("consentd_clock_doubts_total",
                   "Looks at the wall clock that did not believe it, however short the jump was.",
                   [&time] { return static_cast<double>(time.doubts()); });
}

void DefinePolicyGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  const service::Core& core = sources.core;
  registry.Gauge("consentd_policy_info", "The policy in force.", {"version", "hash"}, [&core](SeriesSink& series) {
    const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
    if (rules != nullptr) series.Set({rules->version, base::Hex(base::View(rules->hash))}, 1);
  });
  registry.Gauge("consentd_policy_activated_timestamp_seconds", "Since when that version is in force.",
                 [&core] { return TimestampSeconds(core.policies.in_force().activated_at); });
  const auto last = [](const std::atomic<int64_t>& micros) {
    return [&micros] { return TimestampSeconds(base::Instant{micros.load()}); };
  };
  registry.Gauge("consentd_policy_last_reload_success_timestamp_seconds",
                 "When the policy file was last read and in force afterwards, the start included.",
                 last(sources.reloads.policy));
  registry.Gauge("consentd_callers_last_reload_success_timestamp_seconds",
                 "When the callers' file was last read and put in force, the start included.",
                 last(sources.reloads.callers));
  registry.Gauge("consentd_holiday_calendar_end_timestamp_seconds",
                 "When the last day of the regime's holiday calendar is over: later deadlines know no holidays.",
                 {"regime"}, [&core](SeriesSink& series) {
                   const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
                   if (rules == nullptr) return;
                   for (const domain::Regime& regime : rules->regimes) {
                     if (regime.deletion.holidays.empty()) continue;
                     constexpr double kDay = 86'400;
                     series.Set({regime.name}, kDay * (regime.deletion.holidays.back().days + 1));
                   }
                 });
}

void DefineConnectionMetrics(const GaugeSources& sources, ops::MetricRegistry& registry) {
  const auto counts = std::make_shared<ConnectionCounts>();
  registry.AtScrape([counts, read = sources.connections] { *counts = read(); });
  registry.Gauge("consentd_connections", "Connections to the API.",
                 [counts] { return static_cast<double>(counts->open); });
  registry.Gauge("consentd_connections_max", "Connections that may be open at a time.",
                 [most = sources.max_connections] { return static_cast<double>(most); });
  registry.Counter("consentd_connections_closed_total", "Connections that ended or were not let in, by reason.",
                   {"reason"}, [counts](SeriesSink& series) {
                     for (size_t i = 0; i < kCloseReasons; ++i) {
                       series.Set({CloseReasonName(static_cast<CloseReason>(i))},
                                  static_cast<double>(counts->closed[i]));
                     }
                   });
  registry.Counter("consentd_tls_handshakes_failed_total", "TLS connections that ended before a request could be read.",
                   [counts] { return static_cast<double>(counts->handshakes_failed); });
  registry.Gauge("consentd_tls_certificate_not_after_timestamp_seconds",
                 "When the first certificate of the server's chain ends, and the last of the clients' CAs.", {"which"},
                 [certificates = sources.certificates](SeriesSink& series) {
                   if (certificates == nullptr) return;
                   const auto seconds = [](base::Instant end) { return static_cast<double>(end.micros) / 1e6; };
                   series.Set({"server"}, seconds(certificates->not_after()));
                   series.Set({"client_ca"}, seconds(certificates->ca_not_after()));
                 });
  registry.Gauge("consentd_tls_certificate_last_reload_success_timestamp_seconds",
                 "When the certificates in use were put in place.",
                 [certificates = sources.certificates]() -> std::optional<double> {
                   if (certificates == nullptr) return std::nullopt;
                   return TimestampSeconds(certificates->replaced_at());
                 });
}

void DefineCallerMetrics(const callers::Book& book, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_caller_limit_used_ratio",
                 "How much of each of its limits a caller of the callers' file uses at this moment.",
                 {"caller", "limit"}, [&book](SeriesSink& series) {
                   const callers::Meter::Time now = std::chrono::steady_clock::now();
                   for (const auto& caller : book.All()) {
                     for (const callers::Limit limit : callers::kAllLimits) {
                       series.Set({caller->name, callers::LimitName(limit)}, caller->meter->Used(limit, now));
                     }
                   }
                 });
  registry.Counter(
      "consentd_caller_limited_total", "Calls that were refused because their caller was over a limit.",
      {"caller", "limit"}, [&book](SeriesSink& series) {
        for (const auto& caller : book.All()) {
          for (const callers::Limit limit : callers::kAllLimits) {
            series.Set({caller->name, callers::LimitName(limit)}, static_cast<double>(caller->meter->refused(limit)));
          }
        }
      });
}

}  // namespace

std::optional<double> TimestampSeconds(base::Instant time) {
  if (!time.IsSet()) return std::nullopt;
  return static_cast<double>(time.micros) / 1e6;
}

void DefineGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_serving", "1 while the daemon answers.",
                 [&health = sources.health] { return health.state() == ops::HealthState::kServing ? 1 : 0; });
  registry.Gauge("consentd_pool_queue_length", "Tasks that wait for a thread.", {"pool"},
                 [&pools = sources.pools, &core = sources.core](SeriesSink& series) {
                   series.Set({"grants"}, static_cast<double>(pools.grants.queued()));
                   series.Set({"read"}, static_cast<double>(pools.readers.queued()));
                   series.Set({"restrictions"}, static_cast<double>(pools.restrictions.queued()));
                   series.Set({"write"}, static_cast<double>(core.writers.queued()));
                 });
  registry.Gauge("grpc_server_in_flight", "Calls that were admitted and are not yet answered.",
                 [&admission = sources.services.admission] { return static_cast<double>(admission.in_flight()); });
  registry.Gauge("consentd_changes_in_flight", "Changes that were taken and are not yet answered.",
                 [&changes = sources.services.changes] { return static_cast<double>(changes.in_flight()); });
  DefineIndexGauges(sources, registry);
  DefineStoreGauges(sources, registry);
  DefineClockMetrics(sources.core.time, registry);
  DefinePolicyGauges(sources, registry);
  DefinePeopleGauges(sources, registry);
  registry.Gauge("consentd_policy_file_waits",
                 "1 while the policy file that the daemon was given is not the policy in force.",
                 [&admin = sources.services.policy_admin] { return admin.waiting().has_value() ? 1 : 0; });
  DefineDeletionGauges(sources, registry);
  registry.Gauge("consentd_key_shares_to_rewrap",
                 "Keys of people, requests, holds and proposals that a rotation has yet to put under the newest master "
                 "key.",
                 [&rewrapping = sources.services.rewrapping] { return static_cast<double>(rewrapping.left()); });
  DefineSweepGauges(sources, registry);
  DefineApprovalGauges(sources, registry);
  DefineReviewGauges(sources, registry);
  DefineConnectionMetrics(sources, registry);
  DefineCallerMetrics(sources.callers, registry);
  ops::DefineProcessMetrics(registry);
}

}  // namespace consent::app
