// Reads the parts of a running daemon for a scrape.
#pragma once

#include "daemon/ops/gauges.h"
#include "daemon/service/state/core.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::app {

struct Services;

// Thread-safe; takes short locks, and reads some rows of open tasks and erasures. `readers`: the pool of blocking
// reads.
ops::Gauges CollectGauges(const service::Core& core, const store::RocksStore& store, const service::Pool& readers,
                          const Services& services, ops::HealthState health);

}  // namespace consent::app
