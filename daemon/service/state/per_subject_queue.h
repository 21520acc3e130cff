// Lets the changes of one subject through one after another, so that they do not conflict with each other in the store.
// The store's preconditions remain what guarantees it; this only saves retries.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>

#include "daemon/base/ids.h"
#include "daemon/base/mutex.h"

namespace consent::service {

// Thread-safe.
class PerSubjectQueue {
 public:
  // True: it is the caller's turn, `next` was not taken. False: `next` runs when the turns before it are over; nothing
  // more to do.
  bool Take(base::SubjectHandle subject, std::function<void()>& next);
  // Ends a turn; returns what waited next, which the caller must run (on a pool, not deep in its own stack), or
  // nothing.
  std::function<void()> Pass(base::SubjectHandle subject);

 private:
  struct Shard {
    base::Mutex mutex;
    std::map<base::SubjectHandle, std::deque<std::function<void()>>> waiting GUARDED_BY(mutex);
  };
  Shard& ShardOf(base::SubjectHandle subject) { return shards_[subject.Hash() % shards_.size()]; }
  std::array<Shard, 64> shards_;
};

}  // namespace consent::service
