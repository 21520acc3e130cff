// Work that nobody waits for, on a thread of its own: expired idempotency keys are dropped.
#pragma once

#include <chrono>
#include <thread>

#include "daemon/base/mutex.h"
#include "daemon/ops/log.h"
#include "daemon/service/context.h"

namespace consent::app {

// Works from construction to destruction; the destructor waits for the piece that is under way (at most kPiece rows).
class Housekeeper {
 public:
  // The context is filled and outlives it.
  Housekeeper(service::Context& context, ops::Log& log);
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  static constexpr size_t kPiece = 10'000;

 private:
  void Run();
  // Waits as long as `period`; false once it is to stop.
  bool Pause(std::chrono::seconds period) EXCLUDES(mutex_);
  service::Context& context_;
  ops::Log& log_;
  base::Mutex mutex_;
  base::CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last
};

}  // namespace consent::app
