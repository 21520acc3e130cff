// Lets the calls of a long command through as fast as the daemon takes them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>

#include "absl/status/status.h"
#include "consent/clock.h"

namespace consent::cli {

// Holds all callers back while the daemon asks for it (google.rpc.RetryInfo), and lets fewer through at a time where it
// says that too many are under way. Thread-safe.
class CallGate {
 public:
  // Callers that go on being refused for a shorter time than this lose their connections in the end (see
  // daemon/callers/README.md), so after a refusal nothing is sent for longer.
  static constexpr std::chrono::milliseconds kShortestPause{1100};
  // A call is given up when no call of the gate has been answered for so long.
  static constexpr std::chrono::seconds kPatience{120};

  // At most `parallel` calls at a time. `clock` outlives it.
  CallGate(size_t parallel, Clock& clock) : window_(parallel), clock_(clock), last_answer_(clock.SinceBoot()) {}

  // Calls `call` until it is answered, pausing between; returns its last status. What is an answer: everything but
  // UNAVAILABLE, DEADLINE_EXCEEDED and a refusal that says when to come again, or that the daemon is overloaded.
  absl::Status Pass(const std::function<absl::Status()>& call);
  // The same call may be answered later.
  static bool ComesAgain(const absl::Status& status);
  // How often the daemon asked to wait.
  size_t pauses() const;

 private:
  void Enter();
  void Leave();
  // False: nothing was answered for kPatience.
  bool HoldBack(const absl::Status& why);

  mutable std::mutex mutex_;
  std::condition_variable room_;
  size_t window_;
  size_t inside_ = 0;
  size_t pauses_ = 0;
  Clock& clock_;
  std::chrono::nanoseconds pause_until_{0};
  std::chrono::nanoseconds last_answer_;
};

}  // namespace consent::cli
