#include "daemon/callers/meter.h"

#include <algorithm>

namespace consent::callers {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
// How long a call ends in, for who has too many of them in flight.
constexpr std::chrono::milliseconds kInFlightWait{50};

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
  }
  return "";
}

void Meter::SetLimits(const Limits& limits) {
  calls_per_second_.store(std::max(limits.calls_per_second, 1), std::memory_order_relaxed);
  items_per_second_.store(std::max(limits.items_per_second, 1), std::memory_order_relaxed);
  calls_in_flight_.store(std::max(limits.calls_in_flight, 1), std::memory_order_relaxed);
}

std::optional<Excess> Meter::Begin(Share share, Time now) {
  Counts& counts = Of(share);
  const int32_t most = calls_in_flight_.load(std::memory_order_relaxed);
  if (counts.in_flight.fetch_add(1, std::memory_order_relaxed) >= most) {
    End(share);
    return Excess{Limit::kCallsInFlight, most, kInFlightWait};
  }
  const int32_t rate = calls_per_second_.load(std::memory_order_relaxed);
  const int64_t wait = Take(&counts.calls, 1, rate, Nanoseconds(now));
  if (wait == 0) return std::nullopt;
  End(share);
  return Excess{Limit::kCallsPerSecond, rate, UpToMilliseconds(wait)};
}

void Meter::End(Share share) { Of(share).in_flight.fetch_sub(1, std::memory_order_relaxed); }

std::optional<Excess> Meter::Charge(Share share, int64_t items, Time now) {
  const int32_t rate = items_per_second_.load(std::memory_order_relaxed);
  const int64_t wait = Take(&Of(share).items, items, rate, Nanoseconds(now));
  if (wait == 0) return std::nullopt;
  return Excess{Limit::kItemsPerSecond, rate, UpToMilliseconds(wait)};
}

}  // namespace consent::callers
