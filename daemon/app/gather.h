// Reads the parts of a running daemon for a scrape.
#pragma once

#include "daemon/ops/readings.h"
#include "daemon/service/change_subject.h"
#include "daemon/service/context.h"
#include "daemon/service/data_systems.h"
#include "daemon/service/task_board.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::app {

// Thread-safe; takes short locks only. `readers`: the pool of blocking reads.
ops::Readings Gather(const service::Context& context, const store::RocksStore& store, const service::Pool& readers,
                     const service::ChangeSubject& changes, const service::DataSystems& systems, const service::TaskBoard& board,
                     ops::HealthState health);

}  // namespace consent::app
