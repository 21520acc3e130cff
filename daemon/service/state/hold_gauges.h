// Which legal holds are in force, and since when: for metrics. Follows the holds' rows; rebuilt at the start.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "daemon/base/mutex.h"
#include "daemon/base/time.h"
#include "daemon/store/store.h"

namespace consent::service {

// Thread-safe.
class HoldGauges {
 public:
  // The hold that lies there is in force since `placed_at`; unset: it is not, or no more.
  void Put(store::Partition partition, store::Sequence sequence, base::Instant placed_at) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    const auto [at, is_new] = in_force_.try_emplace({partition, sequence}, placed_at);
    if (!is_new) placed_.erase(placed_.find(at->second));
    at->second = placed_at;
    if (placed_at.IsSet()) {
      placed_.insert(placed_at);
    } else {
      in_force_.erase(at);
    }
  }
  uint64_t in_force() const EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return in_force_.size();
  }
  // When the oldest of them was placed; unset: there is none.
  base::Instant oldest() const EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return placed_.empty() ? base::Instant{} : *placed_.begin();
  }

 private:
  mutable base::Mutex mutex_;
  std::map<std::pair<store::Partition, store::Sequence>, base::Instant> in_force_ GUARDED_BY(mutex_);
  std::multiset<base::Instant> placed_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
