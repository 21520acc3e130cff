// A clock that tests set.
#pragma once

#include <atomic>

#include "daemon/base/clock.h"

namespace consent::test {

// Thread-safe. Stands still unless moved. Set and Advance let time pass, for both clocks; StepWall sets the wall clock
// alone.
class ManualClock final : public base::Clock {
 public:
  explicit ManualClock(base::Instant now = base::Instant{1'700'000'000'000'000})
      : micros_(now.micros), began_(now.micros) {}
  base::Instant Now() const override { return base::Instant{micros_.load() + step_.load()}; }
  base::Span SinceBoot() const override { return base::Span{micros_.load() - began_ + base::Days(1).micros}; }
  void Set(base::Instant now) { micros_.store(now.micros - step_.load()); }
  void Advance(base::Span by) { micros_.fetch_add(by.micros); }
  void StepWall(base::Span by) { step_.fetch_add(by.micros); }

 private:
  std::atomic<int64_t> micros_;
  std::atomic<int64_t> step_{0};
  const int64_t began_;
};

}  // namespace consent::test
