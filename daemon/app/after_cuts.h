// What follows a cut: what a flood has left in the heap goes back to the system, and whoever looks after the daemon
// hears of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "daemon/app/connections.h"

namespace consent::app {

// Not thread-safe.
class AfterCuts {
 public:
  // `tell` (may be empty) is called by Look, at most each ten seconds, once more connections were cut, evicted or
  // turned away.
  AfterCuts(const Connections& connections, std::function<void(const ConnectionCounts&)> tell);
  // Once a second.
  void Look();

 private:
  const Connections& connections_;
  const std::function<void(const ConnectionCounts&)> tell_;
  uint64_t cut_ = 0;
  uint64_t told_ = 0;
  int trims_ = 0;
  int64_t quiet_bytes_ = 0;  // resident before the cuts began
  std::chrono::steady_clock::time_point next_line_{};
};

}  // namespace consent::app
