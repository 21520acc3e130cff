// The gauges of the store, its engine and the disks.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/app/gauges.h"
#include "daemon/app/places.h"

namespace consent::app {
namespace {

using Health = store::EngineHealth;
using ops::SeriesSink;

void DefineEngineGauges(const std::shared_ptr<Health>& engine, ops::MetricRegistry& registry) {
  const auto of_engine = [&](const char* name, const char* help, auto member) {
    registry.Gauge(name, help, [engine, member] { return static_cast<double>((*engine).*member); });
  };
  of_engine("consentd_rocksdb_estimated_keys", "Rows, as RocksDB estimates them.", &Health::estimated_keys);
  of_engine("consentd_rocksdb_sst_bytes", "Bytes of the table files.", &Health::sst_bytes);
  of_engine("consentd_rocksdb_memtable_bytes", "Bytes of the tables in memory.", &Health::memtable_bytes);
  of_engine("consentd_rocksdb_wal_bytes", "Bytes of the write-ahead log.", &Health::wal_bytes);
  of_engine("consentd_rocksdb_pending_compaction_bytes", "Bytes that wait for compaction.",
            &Health::pending_compaction_bytes);
  of_engine("consentd_rocksdb_writes_stopped", "1 while writes wait for compaction.", &Health::writes_stopped);
  of_engine("consentd_rocksdb_delayed_write_bytes_per_second", "Rate to which writes are throttled; 0: not.",
            &Health::delayed_write_rate);
  registry.Counter("consentd_rocksdb_background_errors_total",
                   "Errors of background work since the store was opened; any is a reason to look.",
                   [engine] { return static_cast<double>(engine->background_errors); });
  registry.Counter("consentd_rocksdb_write_stalls_total",
                   "How often the engine began to throttle writes of a table family, or stopped them.", {"condition"},
                   [engine](SeriesSink& series) {
                     series.Set({"delayed"}, static_cast<double>(engine->delays));
                     series.Set({"stopped"}, static_cast<double>(engine->stops));
                   });
}

void DefineCommitMetrics(const store::RocksStore& store, ops::MetricRegistry& registry) {
  registry.Counter("consentd_store_commits_total", "Commits since the store was made.", [&store] {
    uint64_t commits = 0;
    for (uint16_t i = 0; i < store.partition_count(); ++i) commits += store.GetHead({i}).stamp.sequence;
    return static_cast<double>(commits);
  });
  const auto timings = std::make_shared<store::CommitTimings>();
  registry.AtScrape([&store, timings] { *timings = store.Timings(); });
  using Distribution = ops::MetricRegistry::Distribution;
  const auto define = [&](const char* name, const char* help, auto member) {
    registry.Histogram(name, help, {store::kDurationBounds.begin(), store::kDurationBounds.end()},
                       [timings, member]() -> std::optional<Distribution> {
                         const store::DurationCounts& counts = (*timings).*member;
                         return Distribution{{counts.buckets.begin(), counts.buckets.end()}, counts.sum_seconds};
                       });
  };
  define("consentd_store_commit_seconds", "From a commit's arrival in the store's queue to its answer.",
         &store::CommitTimings::commits);
  define("consentd_store_sync_seconds", "The engine's write and sync of one group of commits.",
         &store::CommitTimings::syncs);
  registry.Gauge("consentd_store_commits_waiting", "Commits in the store's queue.",
                 [timings] { return static_cast<double>(timings->waiting); });
}

// One file system may be in it several times, once for each thing that lies there.
void DefineDiskGauges(const std::vector<std::pair<std::string, std::string>>& folders, ops::MetricRegistry& registry) {
  struct Disk {
    std::string folder;
    std::string path;
    Room room;
  };
  const auto disks = std::make_shared<std::vector<Disk>>();
  for (const auto& [folder, path] : folders) disks->push_back({folder, path, {}});
  registry.AtScrape([disks] {
    for (Disk& disk : *disks) disk.room = RoomAt(disk.path);
  });
  const auto define = [&](const char* name, const char* help, std::optional<uint64_t> Room::*member) {
    registry.Gauge(name, help, {"folder"}, [disks, member](SeriesSink& series) {
      for (const Disk& disk : *disks) {
        const std::optional<uint64_t>& value = disk.room.*member;
        if (value.has_value()) series.Set({disk.folder}, static_cast<double>(*value));
      }
    });
  };
  define("consentd_disk_free_bytes", "Room in the file system of a folder, for users without privileges.",
         &Room::bytes);
  define("consentd_disk_size_bytes", "Size of that file system.", &Room::size);
  define("consentd_disk_free_inodes", "Free inodes of that file system.", &Room::inodes);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> FoldersOf(const ops::ServeOptions& options) {
  std::vector<std::pair<std::string, std::string>> folders = {{"data", options.data_dir},
                                                              {"head_file", options.head_file}};
  if (!options.decision_log.empty()) folders.emplace_back("decision_log", options.decision_log);
  if (!options.restriction_journal.empty()) folders.emplace_back("restriction_journal", options.restriction_journal);
  return folders;
}

void DefineStoreGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  const auto engine = std::make_shared<Health>();
  registry.AtScrape([&store = sources.store, engine] { *engine = store.Health(); });
  DefineEngineGauges(engine, registry);
  DefineCommitMetrics(sources.store, registry);
  DefineDiskGauges(sources.folders, registry);
}

}  // namespace consent::app
