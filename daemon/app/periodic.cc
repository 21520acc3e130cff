#include "daemon/app/periodic.h"

#include <utility>

namespace consent::app {

Periodic::Periodic(std::chrono::milliseconds first, std::function<std::chrono::milliseconds()> work)
    : work_(std::move(work)), thread_([this, first] { Run(first); }) {}

Periodic::~Periodic() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

bool Periodic::Pause(std::chrono::milliseconds period) {
  base::MutexLock lock(mutex_);
  const auto until = std::chrono::steady_clock::now() + period;
  while (!stopping_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    wake_.WaitFor(mutex_, left);
  }
  return !stopping_;
}

void Periodic::Run(std::chrono::milliseconds first) {
  for (std::chrono::milliseconds period = first; Pause(period);) period = work_();
}

}  // namespace consent::app
