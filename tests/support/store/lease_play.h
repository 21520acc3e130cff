// Two sides that want one lease, with clocks that differ, pauses and commits that are late: who gets what accepted.
#pragma once

#include <cstdint>
#include <functional>

#include "daemon/store/store.h"

namespace consent::test {

struct LeasePlay {
  uint64_t seed = 0;
  // False: a side that is wrong on purpose. It asks whether it has the lease and then commits without the lease's row
  // as a precondition.
  bool commits_under_lease = true;
  int steps = 200;
};

struct LeaseTally {
  int grants = 0;    // the lease changed hands so often
  int accepted = 0;  // commits under a lease
  int refused = 0;   // of them those that came too late
  int overtaken =
      0;  // accepted under a token although a newer one had been granted: never, or the lease is worth nothing
};

// Plays in one lease of its own, on this thread; the same seed gives the same play. `after_each` follows each step.
LeaseTally PlayLease(store::Store& store, store::Partition partition, const LeasePlay& play,
                     const std::function<void()>& after_each = {});

}  // namespace consent::test
