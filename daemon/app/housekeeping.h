// What Periodic does for a running daemon. What is returned is called by one thread; the references outlive it.
#pragma once

#include <chrono>
#include <functional>

#include "daemon/ops/log.h"
#include "daemon/service/context.h"
#include "daemon/service/erasures.h"

namespace consent::app {

inline constexpr std::chrono::seconds kBetweenSweeps{600};

// Drops expired idempotency keys.
std::function<std::chrono::milliseconds()> SweepRequests(service::Context& context, ops::Log& log);

// Says when the time becomes doubtful, and when it is believed again.
std::function<std::chrono::milliseconds()> WatchClock(const service::Context& context, ops::Log& log);

// Erases what finished deletions left behind, and says so.
std::function<std::chrono::milliseconds()> EraseLeftovers(const service::Context& context, service::Erasures& erasures, ops::Log& log);

}  // namespace consent::app
