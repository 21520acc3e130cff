// Many clients that change a few accounts at once and write down what they were told.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/mutex.h"
#include "tests/fault/kill/operations.h"

namespace consent::test {

// Writes from construction until Stop, or until calls get no answer. Everything that is random comes from the seed;
// what happens when does not.
class Writers {
 public:
  struct Options {
    std::string address;
    uint64_t seed = 0;
    int threads = 24;
    int accounts = 48;
    std::string prefix;  // of account and request ids; never used twice
  };
  explicit Writers(const Options& options);
  // Stops.
  ~Writers();
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  // Waits for the calls under way. Once.
  std::vector<Attempt> Stop();
  uint64_t acknowledged() const { return acknowledged_.load(); }

 private:
  void Write(int thread);
  Operation Next(const std::string& account, const std::string& request_id, uint64_t dice);
  void Learn(const std::string& account, const std::string& etag) EXCLUDES(mutex_);

  const Options options_;
  const Api api_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> acknowledged_{0};
  base::Mutex mutex_;
  std::map<std::string, std::string> etags_ GUARDED_BY(mutex_);
  std::vector<std::vector<Attempt>> attempts_;  // by thread
  std::vector<std::thread> threads_;            // last
};

}  // namespace consent::test
