#include "daemon/callers/meter.h"

#include <algorithm>
#include <utility>

namespace consent::callers {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
// How long a call ends in, for who has too many of them in flight.
constexpr std::chrono::milliseconds kInFlightWait{50};
// How long a connection may end in, for who has too many.
constexpr std::chrono::milliseconds kConnectionWait{1'000};

// Takes `amount` from the bucket, which holds `rate` and gets `rate` a second. 0: taken; else how many nanoseconds
// later it could be.
int64_t Take(std::atomic<int64_t>* bucket, int64_t amount, int32_t rate, int64_t now) {
  const int64_t cost = amount * kSecond / rate;
  int64_t full = bucket->load(std::memory_order_relaxed);
  for (;;) {
    const int64_t owed = std::max<int64_t>(full - now, 0);
    // What costs more than the bucket holds is taken from a full one.
    if (owed != 0 && owed + cost > kSecond) return owed + std::min(cost, kSecond) - kSecond;
    if (bucket->compare_exchange_weak(full, now + owed + cost, std::memory_order_relaxed)) return 0;
  }
}

int64_t Nanoseconds(Meter::Time now) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
}

std::chrono::milliseconds UpToMilliseconds(int64_t nanoseconds) {
  return std::chrono::milliseconds((nanoseconds + 999'999) / 1'000'000);
}

}  // namespace

const char* LimitName(Limit limit) {
  switch (limit) {
    case Limit::kCallsPerSecond:
      return "calls_per_second";
    case Limit::kItemsPerSecond:
      return "items_per_second";
    case Limit::kCallsInFlight:
      return "calls_in_flight";
    case Limit::kConnections:
      return "connections";
  }
  return "";
}

void Meter::SetLimits(const Limits& limits) {
  calls_per_second_.store(std::max(limits.calls_per_second, 1), std::memory_order_relaxed);
  items_per_second_.store(std::max(limits.items_per_second, 1), std::memory_order_relaxed);
  calls_in_flight_.store(std::max(limits.calls_in_flight, 1), std::memory_order_relaxed);
  most_connections_.store(std::max(limits.connections, 1), std::memory_order_relaxed);
}

std::optional<Excess> Meter::Begin(Share share, Time now) {
  Counts& counts = Of(share);
  const int32_t most = calls_in_flight_.load(std::memory_order_relaxed);
  if (counts.in_flight.fetch_add(1, std::memory_order_relaxed) >= most) {
    End(share);
    return Refuse(share, Limit::kCallsInFlight, most, kInFlightWait, now);
  }
  const int32_t rate = calls_per_second_.load(std::memory_order_relaxed);
  const int64_t wait = Take(&counts.calls, 1, rate, Nanoseconds(now));
  if (wait == 0) return std::nullopt;
  End(share);
  return Refuse(share, Limit::kCallsPerSecond, rate, UpToMilliseconds(wait), now);
}

void Meter::End(Share share) { Of(share).in_flight.fetch_sub(1, std::memory_order_relaxed); }

std::optional<Excess> Meter::Charge(Share share, int64_t items, Time now) {
  const int32_t rate = items_per_second_.load(std::memory_order_relaxed);
  const int64_t wait = Take(&Of(share).items, items, rate, Nanoseconds(now));
  if (wait == 0) return std::nullopt;
  return Refuse(share, Limit::kItemsPerSecond, rate, UpToMilliseconds(wait), now);
}

std::optional<Excess> Meter::BeginConnection(Share share, Time now) {
  std::atomic<int64_t>& connections = Of(share).connections;
  const int32_t most = most_connections_.load(std::memory_order_relaxed);
  if (connections.fetch_add(1, std::memory_order_relaxed) < most) return std::nullopt;
  EndConnection(share);
  return RefuseConnection(share, now);
}

void Meter::EndConnection(Share share) { Of(share).connections.fetch_sub(1, std::memory_order_relaxed); }

Excess Meter::RefuseConnection(Share share, Time now) {
  return Refuse(share, Limit::kConnections, most_connections_.load(std::memory_order_relaxed), kConnectionWait, now);
}

bool Meter::HasTooManyConnections(Share share) const {
  return connections(share) > most_connections_.load(std::memory_order_relaxed);
}

Excess Meter::Refuse(Share share, Limit limit, int32_t value, std::chrono::milliseconds wait, Time now) {
  refused_[static_cast<size_t>(limit)].fetch_add(1, std::memory_order_relaxed);
  base::MutexLock lock(refusals_mutex_);
  Refusals& refusals = refusals_[static_cast<size_t>(share)];
  if (now - refusals.last >= kPause) refusals.first = now;
  refusals.last = std::max(refusals.last, now);
  if (now - refusals.first >= kOverstay) {
    refusals.overstay = true;
    refusals.first = now;
  }
  return Excess{limit, value, wait};
}

double Meter::Used(Limit limit, Time now) const {
  const auto owed = [now](const std::atomic<int64_t>& bucket) {
    const int64_t full = bucket.load(std::memory_order_relaxed);
    return static_cast<double>(std::max<int64_t>(full - Nanoseconds(now), 0)) / static_cast<double>(kSecond);
  };
  const auto part = [](int64_t used, const std::atomic<int32_t>& most) {
    return static_cast<double>(std::max<int64_t>(used, 0)) / most.load(std::memory_order_relaxed);
  };
  double used = 0;
  for (const Share share : {Share::kOrdinary, Share::kRestrictions}) {
    switch (limit) {
      case Limit::kCallsPerSecond:
        used = std::max(used, owed(Of(share).calls));
        break;
      case Limit::kItemsPerSecond:
        used = std::max(used, owed(Of(share).items));
        break;
      case Limit::kCallsInFlight:
        used = std::max(used, part(in_flight(share), calls_in_flight_));
        break;
      case Limit::kConnections:
        used = std::max(used, part(connections(share), most_connections_));
        break;
    }
  }
  return used;
}

bool Meter::TakeOverstay(Share share, Time now) {
  base::MutexLock lock(refusals_mutex_);
  Refusals& refusals = refusals_[static_cast<size_t>(share)];
  // Whoever asks comes a while after the last call.
  return std::exchange(refusals.overstay, false) && now - refusals.last < 2 * kPause;
}

}  // namespace consent::callers
