// What the main thread waits for: the signals that end or reload the daemon, and news from other threads.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"

namespace consent::app {

// Most urgent first.
enum class Event : uint8_t {
  kWriteFailed = 0,  // the store is in its failed state
  kStop = 1,         // SIGTERM or SIGINT
  kPrepared = 2,     // the index is filled, or could not be
  kPolicyRead = 3,   // the policy file is read, or could not be
  kReload = 4,       // SIGHUP, or the time that a policy waited for is right
};

// Post is thread-safe; the rest is the main thread's. Made before any other thread, because it blocks the signals that
// it reads and threads inherit that. SIGPIPE is ignored from then on. One per process.
class Events {
 public:
  Events();
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // Ok if the descriptors could be made.
  const absl::Status& status() const { return status_; }
  // Several posts of one event may become one.
  void Post(Event event);
  // Waits, and takes the most urgent event.
  Event Wait();

 private:
  // Takes the most urgent waiting event; false where there is none.
  bool Take(Event* event);
  void ReadSignals();
  absl::Status status_;
  int signals_ = -1;
  int wake_ = -1;
  std::atomic<uint8_t> waiting_{0};  // bit per event
};

}  // namespace consent::app
