// How many are due when, for metrics.
#pragma once

#include <cstdint>
#include <map>

#include "daemon/base/time.h"

namespace consent::service {

struct DueCount {
  uint64_t past = 0;  // not done by then
  uint64_t near = 0;  // not past, and due before the nearer of the two times that were asked about
  uint64_t far = 0;   // not past, and due before the farther one, which includes the nearer
};

// Counts deadlines. Not thread-safe.
class DueCounts {
 public:
  void Add(base::Instant due) { ++counts_[due]; }
  // `due` was added, and not removed since.
  void Remove(base::Instant due);
  // `near` and `far` are counted from `now` on. At `now` itself a deadline is past: ends are exclusive.
  DueCount Count(base::Instant now, base::Span near, base::Span far) const;

 private:
  std::map<base::Instant, uint64_t> counts_;  // the times are ends of days, so there are few of them
};

}  // namespace consent::service
