// A clock that tests set.
#pragma once

#include <atomic>

#include "daemon/base/clock.h"

namespace consent::test {

// Thread-safe. Stands still unless moved.
class ManualClock final : public base::Clock {
 public:
  explicit ManualClock(base::Instant now = base::Instant{1'700'000'000'000'000}) : micros_(now.micros) {}
  base::Instant Now() const override { return base::Instant{micros_.load()}; }
  void Set(base::Instant now) { micros_.store(now.micros); }
  void Advance(base::Span by) { micros_.fetch_add(by.micros); }

 private:
  std::atomic<int64_t> micros_;
};

}  // namespace consent::test
