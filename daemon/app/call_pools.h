// Threads for calls that block, and how many of each kind may wait for them.
#pragma once

#include <cstddef>

#include "daemon/app/shortage.h"
#include "daemon/service/state/pool.h"

namespace consent::app {

// Tasks that may wait for each; one more is answered OVERLOADED. Seconds of work, so that overload is told before
// clients give up.
inline constexpr size_t kMaxWaitingCalls = 4096;

// The destructor runs what was queued, then joins.
struct CallPools {
  explicit CallPools(int read_threads) : readers(read_threads, kMaxWaitingCalls) {}

  service::Pool readers;
  service::Pool restrictions{kRestrictionThreads, kMaxWaitingCalls};
  service::Pool grants{kGrantThreads, kMaxWaitingCalls};
};

}  // namespace consent::app
