#include "daemon/app/housekeeping.h"

#include <algorithm>
#include <memory>

#include "daemon/service/fill_index.h"

namespace consent::app {
namespace {

using std::chrono::milliseconds;

// A round looks at every key that is kept, so it is rare; within it, pieces follow one another until nothing is left.
constexpr size_t kSweepPiece = 10'000;
// Of all that was deleted; the bound is a day.
constexpr std::chrono::hours kBetweenBytes{1};
constexpr std::chrono::minutes kAfterFailure{1};
// Nine times as long as the work took.
constexpr int kRest = 9;
// But requests wait for the next round before they are COMPLETED, for ten minutes at most: a piece of bytes may take minutes itself.
constexpr std::chrono::minutes kLongestRest{2};

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

std::function<milliseconds()> EraseLeftovers(const service::Context& context, service::Erasures& erasures, ops::Log& log) {
  using Clock = std::chrono::steady_clock;
  struct Bytes {
    Clock::time_point due = Clock::now() + kBetweenErasures;
    base::Instant before;  // of the round that is under way; unset: none
  };
  const auto bytes = std::make_shared<Bytes>();
  return [&context, &erasures, &log, bytes]() -> milliseconds {
    const Clock::time_point began = Clock::now();
    absl::StatusOr<size_t> erased = erasures.EraseKeys();
    if (erased.ok() && *erased > 0) log.Info("keys of finished deletions erased", {{"requests", *erased}});
    if (erased.ok() && began >= bytes->due) {
      // A round may take many pieces; between two of them it is the keys' turn.
      if (!bytes->before.IsSet()) bytes->before = context.Now();
      erased = erasures.EraseBytes(bytes->before);
      if (erased.ok() && *erased > 0) log.Info("leftovers of deletions erased", {{"rows", *erased}});
      if (erased.ok() && *erased == 0) *bytes = Bytes{began + kBetweenBytes, {}};
    }
    if (!erased.ok()) {
      log.Warn("leftovers of deletions could not be erased; they will be tried again", {{"why", ops::OperatorText(erased.status())}});
      return kAfterFailure;
    }
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    return std::clamp<milliseconds>(kRest * took, kBetweenErasures, kLongestRest);
  };
}

}  // namespace consent::app
