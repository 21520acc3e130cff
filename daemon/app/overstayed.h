// Callers that stay over their limits lose their connections.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/app/connections.h"
#include "daemon/callers/caller_connections.h"

namespace consent::app {

// Not thread-safe.
class Overstayed {
 public:
  // `tell` (may be empty) hears once of each caller whose connections begin to end, and how many they are. `callers`
  // may be null: nobody has limits. The references outlive it.
  Overstayed(Connections& connections, callers::CallerConnections* callers,
             std::function<void(const std::string& caller, size_t connections)> tell)
      : connections_(connections), callers_(callers), tell_(std::move(tell)) {}
  // Once a second: those of one caller are ended in kSteps calls, the last of them before it can be told of again.
  void EndSome(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

  static constexpr size_t kSteps = 10;

 private:
  struct Ending {
    std::vector<std::string> left;
    size_t each_time = 0;
  };
  Connections& connections_;
  callers::CallerConnections* const callers_;
  const std::function<void(const std::string&, size_t)> tell_;
  std::vector<Ending> endings_;
};

}  // namespace consent::app
