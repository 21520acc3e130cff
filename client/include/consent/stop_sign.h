// How somebody who waits for input is asked to stop.
#pragma once

#include <atomic>

namespace consent {

// Both are of one who outlives whoever waits. A default-constructed one is never up.
struct StopSign {
  // True from then on.
  const std::atomic<bool>* asked = nullptr;
  // Can be read from then on, so that waiting for input ends.
  int descriptor = -1;
  bool IsUp() const { return asked != nullptr && asked->load(); }
};

}  // namespace consent
