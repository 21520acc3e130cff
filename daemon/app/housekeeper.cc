#include "daemon/app/housekeeper.h"

#include <chrono>

#include "daemon/service/fill_index.h"

namespace consent::app {
namespace {

constexpr std::chrono::minutes kPeriod{1};

}  // namespace

Housekeeper::Housekeeper(service::Context& context, ops::Log& log) : context_(context), log_(log), thread_([this] { Run(); }) {}

Housekeeper::~Housekeeper() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

bool Housekeeper::Pause() {
  base::MutexLock lock(mutex_);
  const auto until = std::chrono::steady_clock::now() + kPeriod;
  while (!stopping_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    wake_.WaitFor(mutex_, left);
  }
  return !stopping_;
}

void Housekeeper::Run() {
  while (Pause()) {
    const absl::StatusOr<size_t> dropped = service::DropExpiredRequests(context_, kPiece);
    if (!dropped.ok()) {
      log_.Warn("expired idempotency keys could not be dropped", {{"why", ops::OperatorText(dropped.status())}});
    } else if (*dropped > 0) {
      log_.Debug("expired idempotency keys dropped", {{"rows", *dropped}});
    }
  }
}

}  // namespace consent::app
