// Work that nobody waits for, again and again on a thread of its own.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "daemon/base/mutex.h"

namespace consent::app {

// Works from construction to destruction; the destructor waits for the piece that is under way.
class Periodic {
 public:
  // `work` does one piece and says how long to wait for the next. The first comes after `first`.
  Periodic(std::chrono::milliseconds first, std::function<std::chrono::milliseconds()> work);
  ~Periodic();
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

 private:
  void Run(std::chrono::milliseconds first);
  // Waits as long as `period`; false once it is to stop.
  bool Pause(std::chrono::milliseconds period) EXCLUDES(mutex_);

  const std::function<std::chrono::milliseconds()> work_;
  base::Mutex mutex_;
  base::CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last
};

}  // namespace consent::app
