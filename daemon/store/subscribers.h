// Those who are told of commits: what every implementation of a store keeps of them. Thread-safe.
#pragma once

#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/store/store.h"

namespace consent::store {

class Subscribers {
 public:
  // As Store::Subscribe and Store::Unsubscribe.
  void Add(Subscriber& subscriber) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    subscribers_.push_back(&subscriber);
  }
  // Waits for a Tell that is under way.
  void Remove(Subscriber& subscriber) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    std::erase(subscribers_, &subscriber);
  }
  // Tells each in turn; one call at a time.
  void Tell(const Committed& committed) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    for (Subscriber* const subscriber : subscribers_) subscriber->OnCommitted(committed);
  }

 private:
  base::Mutex mutex_;
  std::vector<Subscriber*> subscribers_ GUARDED_BY(mutex_);
};

}  // namespace consent::store
