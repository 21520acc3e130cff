#include "daemon/app/housekeeping.h"

#include <memory>

#include "daemon/service/eraser.h"
#include "daemon/service/fill_index.h"
#include "daemon/service/settle_orders.h"

namespace consent::app {
namespace {

using std::chrono::milliseconds;

// A round looks at every key that is kept, so it is rare; within it, pieces follow one another until nothing is left.
constexpr size_t kSweepPiece = 10'000;

}  // namespace

std::function<milliseconds()> SweepRequests(service::Context& context, ops::Log& log) {
  return [&context, &log]() -> milliseconds {
    const absl::StatusOr<size_t> dropped = service::DropExpiredRequests(context, kSweepPiece);
    if (!dropped.ok()) {
      log.Warn("expired idempotency keys could not be dropped", {{"why", ops::OperatorText(dropped.status())}});
    } else if (*dropped > 0) {
      log.Debug("expired idempotency keys dropped", {{"rows", *dropped}});
    }
    return dropped.ok() && *dropped >= kSweepPiece ? milliseconds(0) : milliseconds(kBetweenSweeps);
  };
}

std::function<milliseconds()> WatchClock(service::Context& context, Services& services, ops::Log& log) {
  static constexpr milliseconds kBetweenLooks(1'000);
  static constexpr milliseconds kBetweenLines(10'000);  // a clock that swings about the bound does not fill the log
  return [&context, &services, &log, doubtful = false]() mutable -> milliseconds {
    size_t settled = 0;
    const absl::Status status = service::SettleOrders(context, services.changes, services.board, &settled);
    if (settled > 0) log.Info("deletion requests of the doubtful time have their ends", {{"requests", settled}});
    if (!status.ok()) log.Warn("deletion requests of the doubtful time could not be settled; they will be tried again", {{"why", ops::OperatorText(status)}});
    const base::TrustedClock::View clock = context.time.Look();
    if (clock.doubtful == doubtful) return kBetweenLooks;
    doubtful = clock.doubtful;
    const int64_t offset = clock.Offset().micros / 1'000'000;
    if (doubtful) {
      log.Warn("the time is doubtful: nothing is eligible and loosenings wait until the clock is right again or somebody confirms it",
               {{"offset_seconds", offset}, {"wall", ops::OperatorText(base::FormatRfc3339(clock.wall))},
                {"trusted", ops::OperatorText(base::FormatRfc3339(clock.trusted))}});
    } else {
      log.Info("the time is trusted again", {{"offset_seconds", offset}});
    }
    return kBetweenLines;
  };
}

std::function<milliseconds()> EraseLeftovers(const service::Context& context, service::Erasures& erasures, ops::Log& log) {
  const auto eraser = std::make_shared<service::Eraser>(context, erasures);
  return [&log, eraser]() -> milliseconds {
    const service::Eraser::Round round = eraser->Next();
    if (round.completed > 0) log.Info("keys of finished deletions erased", {{"requests", round.completed}});
    if (round.scrubbed > 0) log.Info("leftovers of deletions erased", {{"rows", round.scrubbed}});
    if (!round.status.ok()) {
      log.Warn("leftovers of deletions could not be erased; they will be tried again", {{"why", ops::OperatorText(round.status)}});
    }
    return round.rest;
  };
}

}  // namespace consent::app
