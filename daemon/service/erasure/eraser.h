// Takes the two steps of erasure in turn, so that neither keeps the other from its bound: keys within ten minutes,
// bytes within a day.
#pragma once

#include <chrono>
#include <functional>

#include "daemon/service/erasure/erasures.h"

namespace consent::service {

// One thread. `core` and `erasures` outlive it.
class Eraser {
 public:
  using Monotonic = std::function<std::chrono::steady_clock::time_point()>;

  // A tenth of the time goes into erasing, but nothing waits for the next round longer than this: a piece of bytes may
  // take minutes itself.
  static constexpr std::chrono::milliseconds kShortestRest = std::chrono::seconds(2);
  static constexpr std::chrono::milliseconds kLongestRest = std::chrono::minutes(2);
  static constexpr std::chrono::milliseconds kAfterFailure = std::chrono::minutes(1);
  // From the beginning of one pass over all that waits for its bytes' step to that of the next. The first begins
  // kShortestRest after the eraser was made, so that restarts do not put it off.
  static constexpr std::chrono::hours kBetweenBytes{1};

  Eraser(const Core& core, Erasures& erasures, Monotonic now = std::chrono::steady_clock::now);

  struct Round {
    absl::Status status;               // of the step that failed; what was done before it stays done
    size_t completed = 0;              // requests
    size_t scrubbed = 0;               // rows
    std::chrono::milliseconds rest{};  // until the next round
  };
  // All keys that wait, then at most one piece of bytes. Blocks.
  Round Next();

 private:
  absl::Status EraseBytesIfDue(std::chrono::steady_clock::time_point began, Round* round);

  const Core& core_;
  Erasures& erasures_;
  const Monotonic now_;
  std::chrono::steady_clock::time_point bytes_due_;
  base::Instant bytes_before_;  // of the pass that is under way; unset: none
};

}  // namespace consent::service
