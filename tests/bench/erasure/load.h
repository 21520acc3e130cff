// A paced load: so many checks and updates a second, however long each takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "tests/bench/latency.h"

namespace consent::bench {

struct LoadOptions {
  std::string address;
  uint64_t subjects = 0;
  uint64_t seed = 1;
  int64_t captured_at_seconds = 0;  // of the recordings that are asked about: after every subject's consent
};

// 1,000 unary checks and 300 updates a second, of random subjects but those of `spared`. Every check must be answered
// ELIGIBLE; updates refuse advertising, which nobody had allowed, so they delete nothing. A wrong answer or an error
// ends the process. Runs from construction to destruction.
class Load {
 public:
  static constexpr int kCheckers = 8;
  static constexpr int kWriters = 6;
  static constexpr int kChecksPerSecond = 1'000;
  static constexpr int kUpdatesPerSecond = 300;

  Load(const LoadOptions& options, const std::unordered_set<uint64_t>& spared);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // What was answered since the last call.
  struct Answered {
    Latencies checks, updates;
  };
  Answered Take();

 private:
  void Check(int number);
  void Update(int number);
  void Add(bool is_check, std::chrono::steady_clock::time_point began);
  uint64_t Draw(uint64_t dice) const;

  const LoadOptions options_;
  const std::unordered_set<uint64_t>& spared_;
  std::mutex mutex_;
  Answered answered_;  // guarded by mutex_
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;  // last
};

}  // namespace consent::bench
