#include "daemon/ops/gauges.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>

#include "daemon/ops/families.h"
#include "daemon/ops/version.h"

namespace consent::ops {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Gauge(const char* name, const char* help, double value) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  AddValue(&family, {}, value);
  return family;
}

void AddSubjects(const Gauges& gauges, std::vector<MetricFamily>* families) {
  MetricFamily subjects =
      Family("consentd_subjects", "Subjects by regime, purpose and what their account chose.", MetricType::Gauge);
  for (const SubjectCount& count : gauges.subjects) {
    AddValue(&subjects, {{"regime", count.regime}, {"purpose", Label(count.purpose)}, {"choice", Label(count.choice)}},
             static_cast<double>(count.subjects));
  }
  families->push_back(std::move(subjects));
}

void AddStore(const Gauges& gauges, std::vector<MetricFamily>* families) {
  if (gauges.index.has_value()) {
    families->push_back(Gauge("consentd_index_subjects", "Subjects whose facts are in memory.",
                              static_cast<double>(gauges.index->subjects)));
    families->push_back(
        Gauge("consentd_index_bytes", "Memory of the facts index.", static_cast<double>(gauges.index->bytes)));
    families->push_back(Gauge("consentd_index_complete",
                              "1 while every subject is in memory; 0: some are read from the store.",
                              gauges.index->complete ? 1 : 0));
  }
  families->push_back(
      Gauge("consentd_store_commits", "Commits since the store was made.", static_cast<double>(gauges.commits)));
}

void AddEngine(const store::EngineHealth& engine, std::vector<MetricFamily>* families) {
  const auto add = [families](const char* name, const char* help, uint64_t value) {
    families->push_back(Gauge(name, help, static_cast<double>(value)));
  };
  add("consentd_rocksdb_estimated_keys", "Rows, as RocksDB estimates them.", engine.estimated_keys);
  add("consentd_rocksdb_sst_bytes", "Bytes of the table files.", engine.sst_bytes);
  add("consentd_rocksdb_memtable_bytes", "Bytes of the tables in memory.", engine.memtable_bytes);
  add("consentd_rocksdb_wal_bytes", "Bytes of the write-ahead log.", engine.wal_bytes);
  add("consentd_rocksdb_pending_compaction_bytes", "Bytes that wait for compaction.", engine.pending_compaction_bytes);
  add("consentd_rocksdb_background_errors", "Errors of background work; any is a reason to look.",
      engine.background_errors);
  add("consentd_rocksdb_writes_stopped", "1 while writes wait for compaction.", engine.writes_stopped ? 1 : 0);
  add("consentd_rocksdb_delayed_write_bytes_per_second", "Rate to which writes are throttled; 0: not.",
      engine.delayed_write_rate);
}

void AddPolicy(const Gauges& gauges, std::vector<MetricFamily>* families) {
  if (gauges.policy.has_value()) {
    MetricFamily info = Family("consentd_policy_info", "The policy in force.", MetricType::Gauge);
    AddValue(&info, {{"version", gauges.policy->version}, {"hash", gauges.policy->hash}}, 1);
    families->push_back(std::move(info));
    families->push_back(Gauge("consentd_suspensions_active", "Purposes that are suspended, each region counted.",
                              static_cast<double>(gauges.suspensions.size())));
  }
  MetricFamily suspended =
      Family("consentd_suspended", "1 for each suspended purpose and region (all: everywhere).", MetricType::Gauge);
  for (const ActiveSuspension& suspension : gauges.suspensions) {
    AddValue(
        &suspended,
        {{"purpose", Label(suspension.purpose)}, {"region", suspension.region.empty() ? "all" : suspension.region}}, 1);
  }
  families->push_back(std::move(suspended));
}

void AddSystems(const Gauges& gauges, std::vector<MetricFamily>* families) {
  MetricFamily open =
      Family("consentd_purge_tasks_open", "Purge tasks that have not ended, by data system.", MetricType::Gauge);
  MetricFamily stuck =
      Family("consentd_purge_tasks_stuck", "Open purge tasks that failed five times or more.", MetricType::Gauge);
  MetricFamily oldest = Family("consentd_purge_task_oldest_seconds",
                               "Age of the oldest open purge task; 0: none is open.", MetricType::Gauge);
  MetricFamily retries =
      Family("consentd_purge_task_failures_total", "Purge tasks that were given back as failed.", MetricType::Counter);
  MetricFamily refused = Family("consentd_purge_task_reports_refused_total",
                                "Reports of purge tasks that were refused, by reason.", MetricType::Counter);
  for (const SystemReading& system : gauges.systems) {
    for (const auto& [reason, count] : system.refused) {
      AddValue(&refused, {{"system", system.name}, {"reason", reason}}, static_cast<double>(count));
    }
    AddValue(&open, {{"system", system.name}}, static_cast<double>(system.open_tasks));
    AddValue(&stuck, {{"system", system.name}}, static_cast<double>(system.stuck_tasks));
    AddValue(&oldest, {{"system", system.name}}, system.oldest_seconds);
    AddValue(&retries, {{"system", system.name}}, static_cast<double>(system.retries));
  }
  for (MetricFamily* family : {&open, &stuck, &oldest, &retries, &refused}) families->push_back(std::move(*family));
}

void AddDeletions(const DeletionReading& deletions, std::vector<MetricFamily>* families) {
  MetricFamily requests =
      Family("consentd_deletion_requests", "Deletion requests by cause, regime and state.", MetricType::Gauge);
  for (const RequestCount& count : deletions.requests) {
    AddValue(&requests, {{"cause", count.cause}, {"regime", count.regime}, {"state", count.state}},
             static_cast<double>(count.requests));
  }
  families->push_back(std::move(requests));
  families->push_back(Gauge("consentd_deletion_requests_due_within_week",
                            "Open deletion requests that are due within seven days.",
                            static_cast<double>(deletions.due_within_week)));
  families->push_back(Gauge("consentd_deletion_requests_overdue",
                            "Open deletion requests past their due time; those on hold are not counted.",
                            static_cast<double>(deletions.overdue)));
  families->push_back(Gauge("consentd_deletion_request_oldest_seconds",
                            "Age of the oldest open deletion request; 0: none is open.",
                            deletions.oldest_open_seconds));
  MetricFamily completion =
      Family("consentd_deletion_completion_seconds", "From receipt to completion of requests that somebody asked for.",
             MetricType::Histogram);
  prometheus::ClientMetric histogram;
  uint64_t up_to = 0;
  for (size_t i = 0; i < deletions.completions.size(); ++i) {
    up_to += deletions.completions[i];
    const bool bounded = i < deletions.completion_bounds.size();
    histogram.histogram.bucket.push_back(
        {up_to, bounded ? deletions.completion_bounds[i] : std::numeric_limits<double>::infinity()});
  }
  histogram.histogram.sample_count = up_to;
  histogram.histogram.sample_sum = deletions.completion_seconds_sum;
  completion.metric.push_back(std::move(histogram));
  families->push_back(std::move(completion));
  MetricFamily waiting =
      Family("consentd_erasures_waiting", "What has yet to be erased from the store's files: keys, other bytes.",
             MetricType::Gauge);
  MetricFamily oldest = Family("consentd_erasure_oldest_seconds",
                               "How long the oldest of it has waited; 0: nothing waits.", MetricType::Gauge);
  const char* const steps[] = {"keys", "bytes"};
  for (size_t i = 0; i < std::size(steps); ++i) {
    AddValue(&waiting, {{"step", steps[i]}}, static_cast<double>(deletions.erasures_waiting[i]));
    AddValue(&oldest, {{"step", steps[i]}}, deletions.oldest_erasure_seconds[i]);
  }
  for (MetricFamily* family : {&waiting, &oldest}) families->push_back(std::move(*family));
}

void AddConnections(const ConnectionReading& connections, std::vector<MetricFamily>* families) {
  families->push_back(Gauge("consentd_connections", "Connections to the API.", static_cast<double>(connections.open)));
  families->push_back(Gauge("consentd_connections_max", "Connections that may be open at a time.",
                            static_cast<double>(connections.most)));
  MetricFamily closed = Family("consentd_connections_closed_total",
                               "Connections that ended or were not let in, by reason.", MetricType::Counter);
  for (const auto& [reason, count] : connections.closed) {
    AddValue(&closed, {{"reason", reason}}, static_cast<double>(count));
  }
  families->push_back(std::move(closed));
}

// Field `number` (as proc(5) counts them) of /proc/self/stat; 0 where it cannot be read.
double StatField(int number) {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  const size_t after_name = line.rfind(')');
  if (after_name == std::string::npos) return 0;
  std::istringstream rest(line.substr(after_name + 1));
  std::string word;
  for (int i = 3; i <= number; ++i) rest >> word;
  return std::strtod(word.c_str(), nullptr);
}

double BootTime() {
  std::ifstream in("/proc/stat");
  for (std::string word; in >> word;) {
    double value = 0;
    if (word == "btime" && in >> value) return value;
  }
  return 0;
}

double OpenFiles() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  double count = -3;  // itself, . and ..
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

}  // namespace

std::vector<MetricFamily> GaugeFamilies(const Gauges& gauges) {
  std::vector<MetricFamily> families;
  families.push_back(
      Gauge("consentd_serving", "1 while the daemon answers.", gauges.health == HealthState::kServing ? 1 : 0));
  AddSubjects(gauges, &families);
  AddStore(gauges, &families);
  MetricFamily pools = Family("consentd_pool_queue", "Tasks that wait for a thread.", MetricType::Gauge);
  for (const PoolReading& pool : gauges.pools) {
    AddValue(&pools, {{"pool", pool.name}}, static_cast<double>(pool.queued));
  }
  families.push_back(std::move(pools));
  families.push_back(Gauge("consentd_clock_offset_seconds", "How far the wall clock is ahead of the trusted time.",
                           gauges.clock_offset_seconds));
  families.push_back(Gauge("consentd_clock_trusted",
                           "1 while the wall clock is believed; 0: nothing is eligible, and loosenings wait.",
                           gauges.clock_trusted ? 1 : 0));
  MetricFamily doubts =
      Family("consentd_clock_doubts_total",
             "Looks at the wall clock that did not believe it, however short the jump was.", MetricType::Counter);
  AddValue(&doubts, {}, static_cast<double>(gauges.clock_doubts));
  families.push_back(std::move(doubts));
  families.push_back(Gauge("consentd_changes_in_flight", "Changes that were taken and are not yet answered.",
                           static_cast<double>(gauges.changes_in_flight)));
  if (gauges.data_free_bytes.has_value()) {
    families.push_back(Gauge("consentd_data_free_bytes", "Room in the file system of the data folder.",
                             static_cast<double>(*gauges.data_free_bytes)));
  }
  if (gauges.data_free_inodes.has_value()) {
    families.push_back(Gauge("consentd_data_free_inodes", "Free inodes of the file system of the data folder.",
                             static_cast<double>(*gauges.data_free_inodes)));
  }
  if (gauges.engine.has_value()) AddEngine(*gauges.engine, &families);
  AddPolicy(gauges, &families);
  AddSystems(gauges, &families);
  if (gauges.deletions.has_value()) AddDeletions(*gauges.deletions, &families);
  if (gauges.connections.has_value()) AddConnections(*gauges.connections, &families);
  std::erase_if(families, [](const MetricFamily& family) { return family.metric.empty(); });
  return families;
}

std::vector<MetricFamily> ProcessFamilies() {
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  MetricFamily cpu = Family("process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter);
  AddValue(&cpu, {}, (StatField(14) + StatField(15)) / ticks);
  MetricFamily build = Family("consentd_build_info", "The version that runs.", MetricType::Gauge);
  AddValue(&build, {{"version", kVersion}}, 1);
  return {std::move(build), std::move(cpu),
          Gauge("process_resident_memory_bytes", "Resident memory.",
                StatField(24) * static_cast<double>(sysconf(_SC_PAGESIZE))),
          Gauge("process_start_time_seconds", "When the process started.", BootTime() + StatField(22) / ticks),
          Gauge("process_open_fds", "Open files.", OpenFiles())};
}

}  // namespace consent::ops
