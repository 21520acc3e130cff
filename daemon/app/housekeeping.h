// What Periodic does for a running daemon. What is returned is called by one thread; the references outlive it.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "daemon/app/probe.h"
#include "daemon/app/services.h"
#include "daemon/app/tls.h"
#include "daemon/base/clock.h"
#include "daemon/ops/log.h"
#include "daemon/ops/metric_registry.h"
#include "daemon/service/erasure/erasures.h"
#include "daemon/service/registry/proposals.h"
#include "daemon/service/state/core.h"

namespace consent::app {

inline constexpr std::chrono::seconds kBetweenSweeps{600};

// Drops expired idempotency keys, and ends proposals that nobody approved in time.
std::function<std::chrono::milliseconds()> SweepRequests(service::Core& core, service::Proposals& proposals,
                                                         ops::Log& log);

// Says when the time becomes doubtful, and when it is believed again. Calls `right` at each look that finds the time
// neither doubtful nor behind the last change.
std::function<std::chrono::milliseconds()> WatchClock(service::Core& core, ops::Log& log, std::function<void()> right);

// Settles what was ordered in a doubtful time once the time is believed.
std::function<std::chrono::milliseconds()> SettleDoubtfulOrders(service::Core& core, Services& services, ops::Log& log);

// Ends joins of accounts that were begun and not ended, as by a daemon that was killed between two commits.
std::function<std::chrono::milliseconds()> FinishJoins(const service::Core& core, Services& services, ops::Log& log);

// Puts changed certificates in place, and says so; where they cannot be used, says why once.
std::function<std::chrono::milliseconds()> WatchCertificates(Certificates& certificates, const base::Clock& clock,
                                                             ops::EventCounter& reloads, ops::Log& log);

// How long work rests that fails again and again, and when its failure is worth a line in the log.
class FailurePace {
 public:
  // The rest after one more failure: 10 s, then twice as long each time, up to 10 min.
  std::chrono::milliseconds Failed(const std::string& why);
  void Succeeded() { *this = FailurePace(); }
  // Whether the last failure differs from the one before it, or none was told for an hour of rests.
  bool is_news() const { return is_news_; }

 private:
  std::string why_;
  std::chrono::milliseconds rest_{0};
  std::chrono::milliseconds untold_{0};
  bool is_news_ = false;
};

// Probes each quarter of `watchdog`; calls `answered` where that ended well within half of it, else says what failed.
std::function<std::chrono::milliseconds()> ProbeAgainAndAgain(Probe& probe, ops::Log& log,
                                                              std::chrono::microseconds watchdog,
                                                              std::function<void()> answered);

// Puts shares under the newest master key once an operator has asked for it, and says when that begins and ends. Works
// for at most a quarter of the time, but for the files at the end.
std::function<std::chrono::milliseconds()> RewrapShares(service::RewrapShares& rewrapping, ops::Log& log);

// Erases what finished deletions left behind, and says so.
std::function<std::chrono::milliseconds()> EraseLeftovers(const service::Core& core, service::Erasures& erasures,
                                                          ops::Log& log);

}  // namespace consent::app
