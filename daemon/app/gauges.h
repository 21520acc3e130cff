// What the metrics show of a running daemon's parts, read at each scrape. A gauge has one definition, which reads it
// and names it; the table of them is in ../ops/README.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/app/call_pools.h"
#include "daemon/app/connections.h"
#include "daemon/app/tls.h"
#include "daemon/callers/book.h"
#include "daemon/ops/config.h"
#include "daemon/ops/health.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/service/state/core.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::app {

struct Services;

// When what lies in files was last read and put in force; micros, 0: not yet. Written by whoever reads them.
struct ReloadTimes {
  std::atomic<int64_t> policy{0};
  std::atomic<int64_t> callers{0};
};

// The parts, which are there at each scrape. Reading them takes short locks, and reads some rows: what has yet to be
// erased, the last verification, and of requests that are overdue whether a hold is why. Nothing is unsealed.
struct GaugeSources {
  const ops::Health& health;
  const service::Core& core;
  const store::RocksStore& store;
  const CallPools& pools;
  const Services& services;
  const callers::Book& callers;
  const ReloadTimes& reloads;
  std::vector<std::pair<std::string, std::string>> folders;  // what lies there, and its path
  size_t max_index_subjects = 0;
  size_t max_connections = 0;
  std::function<ConnectionCounts()> connections;
  const Certificates* certificates;  // null: no TLS
};

// The folders of a daemon with these options.
std::vector<std::pair<std::string, std::string>> FoldersOf(const ops::ServeOptions& options);

// What is not known yet while the daemon starts is left out at a scrape.
void DefineGauges(const GaugeSources& sources, ops::MetricRegistry& registry);
// Parts of the above. Of people: what they chose, children, consents, holds; and what stops purposes.
void DefinePeopleGauges(const GaugeSources& sources, ops::MetricRegistry& registry);
// Of deletion requests, their tasks and what has yet to leave the files.
void DefineDeletionGauges(const GaugeSources& sources, ops::MetricRegistry& registry);
// Of the store, its engine and the disks.
void DefineStoreGauges(const GaugeSources& sources, ops::MetricRegistry& registry);
// Of what waits for a second person.
void DefineApprovalGauges(const GaugeSources& sources, ops::MetricRegistry& registry);
// Of review grants.
void DefineReviewGauges(const GaugeSources& sources, ops::MetricRegistry& registry);

// Of data systems' promises about what has expired, and of their sweeps.
void DefineSweepGauges(const GaugeSources& sources, ops::MetricRegistry& registry);

// As metrics show a time; nothing where it is unset: a series that is absent says so.
std::optional<double> TimestampSeconds(base::Instant time);
// A gauge of what is there once the daemon is ready.
template <typename Read>
ops::MetricRegistry::Reading WhenReady(const service::Core& core, Read read) {
  return [&core, read]() -> std::optional<double> {
    if (!core.ready.load()) return std::nullopt;
    return static_cast<double>(read());
  };
}

}  // namespace consent::app
