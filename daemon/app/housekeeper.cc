#include "daemon/app/housekeeper.h"

#include <chrono>

#include "daemon/service/fill_index.h"

namespace consent::app {
namespace {

// A round looks at every key that is kept, so it is rare; within it, pieces follow one another until nothing is left.
constexpr std::chrono::seconds kBetweenRounds{600};
constexpr std::chrono::seconds kBetweenPieces{0};

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

bool Housekeeper::Pause(std::chrono::seconds period) {
  base::MutexLock lock(mutex_);
  const auto until = std::chrono::steady_clock::now() + period;
  while (!stopping_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    wake_.WaitFor(mutex_, left);
  }
  return !stopping_;
}

void Housekeeper::Run() {
  std::chrono::seconds period = kBetweenRounds;
  while (Pause(period)) {
    const absl::StatusOr<size_t> dropped = service::DropExpiredRequests(context_, kPiece);
    if (!dropped.ok()) {
      log_.Warn("expired idempotency keys could not be dropped", {{"why", ops::OperatorText(dropped.status())}});
    } else if (*dropped > 0) {
      log_.Debug("expired idempotency keys dropped", {{"rows", *dropped}});
    }
    period = dropped.ok() && *dropped >= kPiece ? kBetweenPieces : kBetweenRounds;
  }
}

}  // namespace consent::app
