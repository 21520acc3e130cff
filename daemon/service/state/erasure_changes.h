// In which partitions what waits to be erased may have changed, so that a scrape reads no others. Follows the rows of
// the table `erasure`; at the start it is all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/store/store.h"

namespace consent::service {

// Thread-safe.
class ErasureChanges {
 public:
  void Note(store::Partition partition) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    if (partition.number >= changed_.size()) changed_.resize(partition.number + size_t{1}, true);
    changed_[partition.number] = true;
  }
  // Those that were noted since the last call, of so many; in the first call all.
  std::vector<store::Partition> Take(uint16_t partitions) EXCLUDES(mutex_) {
    std::vector<store::Partition> taken;
    base::MutexLock lock(mutex_);
    changed_.resize(partitions, true);
    for (uint16_t number = 0; number < partitions; ++number) {
      if (changed_[number]) taken.push_back(store::Partition{number});
      changed_[number] = false;
    }
    return taken;
  }

 private:
  base::Mutex mutex_;
  std::vector<bool> changed_ GUARDED_BY(mutex_);  // by number; what is not there yet has changed
};

}  // namespace consent::service
