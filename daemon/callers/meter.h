// How much one caller asks, against its limits. No lock: two callers share nothing, and two calls of one caller three
// numbers.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace consent::callers {

struct Limits {
  int32_t calls_per_second = 2'000;
  int32_t items_per_second = 200'000;
  int32_t calls_in_flight = 256;
};

enum class Limit : uint8_t { kCallsPerSecond = 0, kItemsPerSecond = 1, kCallsInFlight = 2 };
// As callers.proto names its field.
const char* LimitName(Limit limit);

// What was refused, and when the same may be asked again.
struct Excess {
  Limit limit = Limit::kCallsPerSecond;
  int32_t value = 0;
  std::chrono::milliseconds wait{};  // at least 1
};

// Calls are counted in two shares with the same limits: those that can carry a restriction, and all others. Times are
// of one steady clock, given by the caller. Thread-safe.
class Meter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Share : uint8_t { kOrdinary = 0, kRestrictions = 1 };

  explicit Meter(const Limits& limits) { SetLimits(limits); }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // From the next call on; what is in flight or owed stays so.
  void SetLimits(const Limits& limits);
  // One call begins, unless a limit is reached. Where it began, End follows.
  std::optional<Excess> Begin(Share share, Time now);
  void End(Share share);
  // `items` are asked, unless their limit is reached; more than come in a second are taken where nothing is owed.
  std::optional<Excess> Charge(Share share, int64_t items, Time now);

  int64_t in_flight(Share share) const { return Of(share).in_flight.load(std::memory_order_relaxed); }

 private:
  // A bucket as one number: when it is full again (the generic cell rate algorithm).
  struct alignas(64) Counts {
    std::atomic<int64_t> calls{0};
    std::atomic<int64_t> items{0};
    std::atomic<int64_t> in_flight{0};
  };
  Counts& Of(Share share) { return shares_[static_cast<size_t>(share)]; }
  const Counts& Of(Share share) const { return shares_[static_cast<size_t>(share)]; }

  std::array<Counts, 2> shares_;
  std::atomic<int32_t> calls_per_second_{0};
  std::atomic<int32_t> items_per_second_{0};
  std::atomic<int32_t> calls_in_flight_{0};
};

}  // namespace consent::callers
