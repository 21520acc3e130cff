#include "daemon/app/gauges.h"

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "daemon/app/places.h"
#include "daemon/app/services.h"
#include "daemon/base/hash.h"
#include "daemon/ops/families.h"
#include "daemon/ops/process_metrics.h"

namespace consent::app {
namespace {

using ops::SeriesSink;

constexpr size_t kChoices = 4;

// By regime of the policy in force; every purpose in use has all four series, so that a zero is seen as a zero.
void ReadSubjects(const service::SubjectGauges& gauges, const domain::Rules& rules, SeriesSink& series) {
  std::map<std::tuple<std::string, domain::Purpose, domain::Choice>, uint64_t> counts;
  for (const service::RegionCount& region : gauges.ByRegion()) {
    const std::string& regime = rules.regimes[rules.ForRegion(region.region).regime].name;
    for (const domain::Purpose purpose : domain::kAllPurposes) {
      const auto& choices = region.subjects[static_cast<size_t>(purpose) - 1];
      for (size_t choice = 0; choice < kChoices; ++choice) {
        if (rules.purposes.Has(purpose) || (choice != 0 && choices[choice] != 0)) {
          counts[{regime, purpose, static_cast<domain::Choice>(choice)}] += choices[choice];
        }
      }
    }
  }
  for (const auto& [key, count] : counts) {
    const auto& [regime, purpose, choice] = key;
    series.Set({regime, ops::Label(purpose), ops::Label(choice)}, static_cast<double>(count));
  }
}

void DefineIndexGauges(const service::FactsIndex& index, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_index_subjects", "Subjects whose facts are in memory.",
                 [&index] { return static_cast<double>(index.size()); });
  registry.Gauge("consentd_index_bytes", "Memory of the facts index.",
                 [&index] { return static_cast<double>(index.memory_bytes()); });
  registry.Gauge("consentd_index_complete", "1 while every subject is in memory; 0: some are read from the store.",
                 [&index] { return index.complete() ? 1 : 0; });
}

void DefineStoreGauges(const store::RocksStore& store, const std::string& data_dir, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_store_commits", "Commits since the store was made.", [&store] {
    uint64_t commits = 0;
    for (uint16_t i = 0; i < store.partition_count(); ++i) commits += store.GetHead({i}).stamp.sequence;
    return static_cast<double>(commits);
  });
  const auto engine = std::make_shared<store::EngineHealth>();
  registry.AtScrape([&store, engine] { *engine = store.Health(); });
  const auto of_engine = [&](const char* name, const char* help, auto member) {
    registry.Gauge(name, help, [engine, member] { return static_cast<double>((*engine).*member); });
  };
  using Health = store::EngineHealth;
  of_engine("consentd_rocksdb_estimated_keys", "Rows, as RocksDB estimates them.", &Health::estimated_keys);
  of_engine("consentd_rocksdb_sst_bytes", "Bytes of the table files.", &Health::sst_bytes);
  of_engine("consentd_rocksdb_memtable_bytes", "Bytes of the tables in memory.", &Health::memtable_bytes);
  of_engine("consentd_rocksdb_wal_bytes", "Bytes of the write-ahead log.", &Health::wal_bytes);
  of_engine("consentd_rocksdb_pending_compaction_bytes", "Bytes that wait for compaction.",
            &Health::pending_compaction_bytes);
  of_engine("consentd_rocksdb_background_errors", "Errors of background work; any is a reason to look.",
            &Health::background_errors);
  of_engine("consentd_rocksdb_writes_stopped", "1 while writes wait for compaction.", &Health::writes_stopped);
  of_engine("consentd_rocksdb_delayed_write_bytes_per_second", "Rate to which writes are throttled; 0: not.",
            &Health::delayed_write_rate);
  const auto room = std::make_shared<Room>();
  registry.AtScrape([data_dir, room] { *room = RoomAt(data_dir); });
  registry.Gauge("consentd_data_free_bytes", "Room in the file system of the data folder.",
                 [room] { return room->bytes; });
  registry.Gauge("consentd_data_free_inodes", "Free inodes of the file system of the data folder.",
                 [room] { return room->inodes; });
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

void DefinePolicyGauges(const service::Core& core, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_policy_info", "The policy in force.", {"version", "hash"}, [&core](SeriesSink& series) {
    const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
    if (rules != nullptr) series.Set({rules->version, base::Hex(base::View(rules->hash))}, 1);
  });
  registry.Gauge("consentd_suspended", "1 for each suspended purpose and region (all: everywhere).",
                 {"purpose", "region"}, [&core](SeriesSink& series) {
                   const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
                   if (rules == nullptr) return;
                   for (const domain::Suspension& suspension : rules->suspensions) {
                     const std::string region = suspension.region.IsSet() ? suspension.region.ToString() : "all";
                     if (suspension.active) series.Set({ops::Label(suspension.purpose), region}, 1);
                   }
                 });
  registry.Gauge("consentd_suspensions_active", "Purposes that are suspended, each region counted.",
                 [&core]() -> std::optional<double> {
                   const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
                   if (rules == nullptr) return std::nullopt;
                   return std::count_if(rules->suspensions.begin(), rules->suspensions.end(),
                                        [](const domain::Suspension& suspension) { return suspension.active; });
                 });
  registry.Gauge("consentd_subjects", "Subjects by regime, purpose and what their account chose.",
                 {"regime", "purpose", "choice"}, [&core](SeriesSink& series) {
                   const std::shared_ptr<const domain::Rules> rules = core.policies.rules();
                   if (rules != nullptr && core.ready.load()) ReadSubjects(core.gauges, *rules, series);
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
}

}  // namespace

double SecondsSince(base::Instant then, base::Instant now) {
  return then.IsSet() && then < now ? static_cast<double>((now - then).micros) / 1e6 : 0;
}

void DefineGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  registry.Gauge("consentd_serving", "1 while the daemon answers.",
                 [&health = sources.health] { return health.state() == ops::HealthState::kServing ? 1 : 0; });
  registry.Gauge(
      "consentd_pool_queue", "Tasks that wait for a thread.", {"pool"},
      [&readers = sources.readers, &restrictions = sources.restrictions, &core = sources.core](SeriesSink& series) {
        series.Set({"read"}, static_cast<double>(readers.queued()));
        series.Set({"restrictions"}, static_cast<double>(restrictions.queued()));
        series.Set({"write"}, static_cast<double>(core.writers.queued()));
      });
  registry.Gauge("consentd_calls_in_flight", "Calls that were admitted and are not yet answered.",
                 [&admission = sources.services.admission] { return static_cast<double>(admission.in_flight()); });
  registry.Gauge("consentd_changes_in_flight", "Changes that were taken and are not yet answered.",
                 [&changes = sources.services.changes] { return static_cast<double>(changes.in_flight()); });
  DefineIndexGauges(sources.core.index, registry);
  DefineStoreGauges(sources.store, sources.data_dir, registry);
  DefineClockMetrics(sources.core.time, registry);
  DefinePolicyGauges(sources.core, registry);
  registry.Gauge("consentd_policy_file_waits",
                 "1 while the policy file that the daemon was given is not the policy in force.",
                 [&admin = sources.services.policy_admin] { return admin.waiting().has_value() ? 1 : 0; });
  DefineDeletionGauges(sources, registry);
  DefineSweepGauges(sources, registry);
  DefineConnectionMetrics(sources, registry);
  ops::DefineProcessMetrics(registry);
}

}  // namespace consent::app
