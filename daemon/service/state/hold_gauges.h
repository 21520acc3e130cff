// Which legal holds are in force, since when, and by when they have to be looked at again: for metrics. Follows the
// holds' rows; rebuilt at the start.
#pragma once

#include <cstdint>
#include <iterator>
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
  struct Times {
    base::Instant placed_at;  // unset: it is not in force, or no more
    base::Instant review_at;
  };
  // The hold that lies there is in force since then.
  void Put(store::Partition partition, store::Sequence sequence, const Times& times) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    const auto [at, is_new] = in_force_.try_emplace({partition, sequence}, times);
    if (!is_new) {
      placed_.erase(placed_.find(at->second.placed_at));
      std::multiset<base::Instant>& reviews = at->second.review_at <= turned_at_ ? past_ : ahead_;
      reviews.erase(reviews.find(at->second.review_at));
    }
    at->second = times;
    if (times.placed_at.IsSet()) {
      placed_.insert(times.placed_at);
      (times.review_at <= turned_at_ ? past_ : ahead_).insert(times.review_at);
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
  // How many are past their review at `now`. Time alone changes it: what came due since the last question, or is not
  // due any more because the clock was put back, changes sides, and nothing else is looked at.
  uint64_t PastReview(base::Instant now) const EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    while (!ahead_.empty() && *ahead_.begin() <= now) past_.insert(ahead_.extract(ahead_.begin()));
    while (!past_.empty() && now < *past_.rbegin()) ahead_.insert(past_.extract(std::prev(past_.end())));
    turned_at_ = now;
    return past_.size();
  }

 private:
  mutable base::Mutex mutex_;
  std::map<std::pair<store::Partition, store::Sequence>, Times> in_force_ GUARDED_BY(mutex_);
  std::multiset<base::Instant> placed_ GUARDED_BY(mutex_);
  // Times of review, by whether they were over when it was asked last.
  mutable std::multiset<base::Instant> past_ GUARDED_BY(mutex_);
  mutable std::multiset<base::Instant> ahead_ GUARDED_BY(mutex_);
  mutable base::Instant turned_at_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
