#include "daemon/app/housekeeping.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/service/deletion/settle_orders.h"
#include "daemon/service/erasure/eraser.h"
#include "daemon/service/subject/fill_index.h"

namespace consent::app {
namespace {

using std::chrono::milliseconds;

// A round looks at every key that is kept, so it is rare; within it, pieces follow one another until nothing is left.
constexpr size_t kSweepPiece = 10'000;

constexpr milliseconds kBetweenClockLooks(1'000);

// One that nobody is ending any more has waited long enough; one that is under way is helped, which changes nothing.
constexpr milliseconds kBetweenJoins(2'000);

}  // namespace

std::function<milliseconds()> SweepRequests(service::Core& core, service::Proposals& proposals, ops::Log& log) {
  return [&core, &proposals, &log]() -> milliseconds {
    if (const auto ended = proposals.EndExpired(); !ended.ok()) {
      log.Warn("proposals that have expired could not be ended", {{"why", ops::OperatorText(ended.status())}});
    }
    const absl::StatusOr<size_t> dropped = service::DropExpiredRequests(core, kSweepPiece);
    if (!dropped.ok()) {
      log.Warn("expired idempotency keys could not be dropped", {{"why", ops::OperatorText(dropped.status())}});
    } else if (*dropped > 0) {
      log.Debug("expired idempotency keys dropped", {{"rows", *dropped}});
    }
    return dropped.ok() && *dropped >= kSweepPiece ? milliseconds(0) : milliseconds(kBetweenSweeps);
  };
}

std::function<milliseconds()> WatchClock(service::Core& core, ops::Log& log, std::function<void()> right) {
  static constexpr milliseconds kBetweenLines(10'000);  // a clock that swings about the bound does not fill the log
  return [&core, &log, right = std::move(right), doubtful = false]() mutable -> milliseconds {
    const base::Now now = core.Present();
    if (!now.doubtful && !now.behind) right();
    const std::optional<base::Span> doubt = core.time.TakeDoubt();
    const base::TrustedClock::View clock = core.time.Look();
    if (clock.doubtful == doubtful) {
      if (doubtful || !doubt.has_value()) return kBetweenClockLooks;
      log.Warn(
          "the clock jumped and came back: what was asked meanwhile was not eligible, loosenings were refused, and "
          "restrictions have the trusted time",
          {{"offset_seconds", doubt->micros / 1'000'000}});
      return kBetweenLines;
    }
    doubtful = clock.doubtful;
    const int64_t offset = clock.Offset().micros / 1'000'000;
    if (doubtful) {
      log.Warn(
          "the time is doubtful: nothing is eligible and loosenings wait until the clock is right again or somebody "
          "confirms it",
          {{"offset_seconds", offset},
           {"wall", ops::OperatorText(base::FormatRfc3339(clock.wall))},
           {"trusted", ops::OperatorText(base::FormatRfc3339(clock.trusted))}});
    } else {
      log.Info("the time is trusted again", {{"offset_seconds", offset}});
    }
    return kBetweenLines;
  };
}

std::function<milliseconds()> SettleDoubtfulOrders(service::Core& core, Services& services, ops::Log& log) {
  return [&core, &services, &log, pace = FailurePace()]() mutable -> milliseconds {
    size_t settled = 0;
    const absl::Status status = service::SettleOrders(core, services.changes, &settled);
    if (settled > 0) log.Info("deletion requests of the doubtful time have their ends", {{"requests", settled}});
    if (status.ok()) {
      pace.Succeeded();
      return kBetweenClockLooks;
    }
    // Each try looks through all requests.
    const milliseconds rest = pace.Failed(status.ToString());
    if (pace.is_news()) {
      log.Warn("deletion requests of the doubtful time could not be settled; they will be tried again",
               {{"why", ops::OperatorText(status)}});
    }
    return rest;
  };
}

std::function<milliseconds()> FinishJoins(const service::Core& core, Services& services, ops::Log& log) {
  return [&core, &services, &log, pace = FailurePace()]() mutable -> milliseconds {
    if (!core.ready.load(std::memory_order_acquire) || core.joins.open() == 0) return kBetweenJoins;
    const absl::Status status = services.joins.FinishOpen();
    if (status.ok()) {
      pace.Succeeded();
      return kBetweenJoins;
    }
    const milliseconds rest = pace.Failed(status.ToString());
    if (pace.is_news()) {
      log.Warn(
          "joins of accounts that were begun could not be ended: nothing of these accounts is eligible until they are",
          {{"joins", core.joins.open()}, {"why", ops::OperatorText(status)}});
    }
    return rest;
  };
}

std::function<milliseconds()> WatchCertificates(Certificates& certificates, const base::Clock& clock,
                                                ops::EventCounter& reloads, ops::Log& log) {
  static constexpr milliseconds kBetweenLooks(2'000);
  return [&certificates, &clock, &reloads, &log]() -> milliseconds {
    std::string why;
    switch (certificates.Look(clock.Now(), &why)) {
      case Certificates::Looked::kReplaced:
        reloads.Add({"ok"});
        log.Info("certificates replaced",
                 {{"not_after", ops::OperatorText(base::FormatRfc3339(certificates.not_after()))}});
        break;
      case Certificates::Looked::kRefused:
        reloads.Add({"refused"});
        log.Error("new certificates refused, the old ones stay", {{"why", ops::OperatorText(why)}});
        break;
      case Certificates::Looked::kUnchanged:
      case Certificates::Looked::kStillRefused:
        break;
    }
    return kBetweenLooks;
  };
}

milliseconds FailurePace::Failed(const std::string& why) {
  static constexpr milliseconds kFirstRest(10'000);
  static constexpr milliseconds kLongestRest(600'000);
  static constexpr milliseconds kBetweenLines(3'600'000);
  is_news_ = rest_ == milliseconds(0) || why != why_ || untold_ >= kBetweenLines;
  if (is_news_) untold_ = milliseconds(0);
  why_ = why;
  rest_ = rest_ == milliseconds(0) ? kFirstRest : std::min(2 * rest_, kLongestRest);
  untold_ += rest_;
  return rest_;
}

std::function<milliseconds()> ProbeAgainAndAgain(Probe& probe, ops::Log& log, std::chrono::microseconds watchdog,
                                                 std::function<void()> answered) {
  static constexpr milliseconds kLeastRest(10);  // a watchdog of milliseconds does not take a core
  const auto half = std::chrono::duration_cast<milliseconds>(watchdog / 2);
  return [&probe, &log, half, answered = std::move(answered)]() -> milliseconds {
    const auto began = std::chrono::steady_clock::now();
    const ProbeStep failed = probe.Run(half);
    const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    if (failed == ProbeStep::kNone && took <= half) {
      answered();
    } else {
      log.Warn("a probe of the daemon's own was not answered in time",
               {{"failed", ProbeStepName(failed)}, {"seconds", std::chrono::duration<double>(took).count()}});
    }
    return std::max(kLeastRest, half / 2 - took);
  };
}

std::function<milliseconds()> RewrapShares(service::RewrapShares& rewrapping, ops::Log& log) {
  static constexpr milliseconds kBetweenLooks(1'000);
  static constexpr int kRestPerWork = 3;
  return [&rewrapping, &log, pace = FailurePace(), under_way = false]() mutable -> milliseconds {
    const auto began = std::chrono::steady_clock::now();
    const absl::StatusOr<service::RewrapShares::Piece> piece = rewrapping.Next();
    if (!piece.ok()) {
      const milliseconds rest = pace.Failed(piece.status().ToString());
      if (pace.is_news()) {
        log.Error("keys could not be put under the newest master key; it will be tried again",
                  {{"why", ops::OperatorText(piece.status())}});
      }
      return rest;
    }
    pace.Succeeded();
    if (piece->is_idle) return kBetweenLooks;
    if (!std::exchange(under_way, true)) {
      log.Info("keys are put under another master key",
               {{"master_key", piece->master}, {"shares", rewrapping.left() + piece->rewrapped}});
    }
    if (piece->finished) {
      under_way = false;
      log.Info("all keys lie under the newest master key", {{"master_key", piece->master}});
      return kBetweenLooks;
    }
    const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    return piece->rewrapped == 0 ? milliseconds(0) : std::max(kRestPerWork * took, milliseconds(1));
  };
}

std::function<milliseconds()> EraseLeftovers(const service::Core& core, service::Erasures& erasures, ops::Log& log) {
  const auto eraser = std::make_shared<service::Eraser>(core, erasures);
  return [&log, eraser]() -> milliseconds {
    const service::Eraser::Round round = eraser->Next();
    if (round.completed > 0) log.Info("keys of finished deletions erased", {{"requests", round.completed}});
    if (round.scrubbed > 0) log.Info("leftovers of deletions erased", {{"rows", round.scrubbed}});
    if (!round.status.ok()) {
      log.Warn("leftovers of deletions could not be erased; they will be tried again",
               {{"why", ops::OperatorText(round.status)}});
    }
    return round.rest;
  };
}

}  // namespace consent::app
