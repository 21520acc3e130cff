// What the metrics show of a running daemon's parts, read at each scrape. A gauge has one definition, which reads it
// and names it; the table of them is in ../ops/README.md.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "daemon/app/connections.h"
#include "daemon/app/tls.h"
#include "daemon/ops/health.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/service/state/core.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::app {

struct Services;

// The parts, which are there at each scrape. Reading them takes short locks, and reads some rows of open tasks,
// overdue requests and erasures; nothing is unsealed.
struct GaugeSources {
  const ops::Health& health;
  const service::Core& core;
  const store::RocksStore& store;
  const service::Pool& readers;       // the pool of blocking reads
  const service::Pool& restrictions;  // and that of calls that can carry a restriction
  const Services& services;
  std::string data_dir;
  size_t max_connections = 0;
  std::function<ConnectionCounts()> connections;
  const Certificates* certificates;  // null: no TLS
};

// What is not known yet while the daemon starts is left out at a scrape.
void DefineGauges(const GaugeSources& sources, ops::MetricRegistry& registry);
// Those of deletion requests, their tasks and what has yet to leave the files; part of the above.
void DefineDeletionGauges(const GaugeSources& sources, ops::MetricRegistry& registry);

// Those of data systems' sweeps and attestations; part of the above.
void DefineSweepGauges(const GaugeSources& sources, ops::MetricRegistry& registry);

// Since `then`; 0 where it is unset or ahead.
double SecondsSince(base::Instant then, base::Instant now);

}  // namespace consent::app
