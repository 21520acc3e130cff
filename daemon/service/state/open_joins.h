// Which accounts are being joined into another one, so that what was begun is ended whoever began it. Follows their
// records; rebuilt at the start.
#pragma once

#include <set>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/base/mutex.h"

namespace consent::service {

// Thread-safe.
class OpenJoins {
 public:
  void Put(base::SubjectHandle subject) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    open_.insert(subject);
  }
  void Remove(base::SubjectHandle subject) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    open_.erase(subject);
  }
  std::vector<base::SubjectHandle> All() const EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return {open_.begin(), open_.end()};
  }
  bool IsOpen(base::SubjectHandle subject) const EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return open_.count(subject) != 0;
  }
  size_t open() const EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return open_.size();
  }

 private:
  mutable base::Mutex mutex_;
  std::set<base::SubjectHandle> open_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
