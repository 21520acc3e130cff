// How much one caller asks, against its limits. No lock where it is within them: two callers share nothing, and two
// calls of one caller three numbers.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "daemon/base/mutex.h"

namespace consent::callers {

struct Limits {
  int32_t calls_per_second = 2'000;
  int32_t items_per_second = 200'000;
  int32_t calls_in_flight = 256;
  int32_t connections = 64;
};

enum class Limit : uint8_t { kCallsPerSecond = 0, kItemsPerSecond = 1, kCallsInFlight = 2, kConnections = 3 };
inline constexpr std::array kAllLimits = {Limit::kCallsPerSecond, Limit::kItemsPerSecond, Limit::kCallsInFlight,
                                          Limit::kConnections};
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

  // `caller`: as the callers' file names it.
  explicit Meter(const Limits& limits, std::string caller = {}) : caller_(std::move(caller)) { SetLimits(limits); }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // From the next call on; what is in flight or owed stays so.
  void SetLimits(const Limits& limits);
  // One call begins, unless a limit is reached. Where it began, End follows.
  std::optional<Excess> Begin(Share share, Time now);
  void End(Share share);
  // `items` are asked, unless their limit is reached; more than come in a second are taken where nothing is owed.
  std::optional<Excess> Charge(Share share, int64_t items, Time now);

  // One more connection carries calls of `share`, unless their limit is reached. Where it does, EndConnection follows.
  std::optional<Excess> BeginConnection(Share share, Time now);
  void EndConnection(Share share);
  // The excess of a call that came by a connection which may carry none.
  Excess RefuseConnection(Share share, Time now);
  // A limit that was lowered since leaves some of the connections too many.
  bool HasTooManyConnections(Share share) const;
  // Whether calls were refused for kOverstay without a pause of kPause, and still are; once for each kOverstay of them.
  // Asked once a second or so.
  bool TakeOverstay(Share share, Time now);

  // How much of the limit is used at `now`, 0 to 1 or, of one that was lowered since, more: of the share that uses
  // more. Of a rate it is what is owed of the second that the bucket holds.
  double Used(Limit limit, Time now) const;
  // Calls that were refused for it, of both shares.
  uint64_t refused(Limit limit) const { return refused_[static_cast<size_t>(limit)].load(std::memory_order_relaxed); }

  const std::string& caller() const { return caller_; }
  int64_t in_flight(Share share) const { return Of(share).in_flight.load(std::memory_order_relaxed); }
  int64_t connections(Share share) const { return Of(share).connections.load(std::memory_order_relaxed); }

  static constexpr std::chrono::seconds kOverstay{10};
  static constexpr std::chrono::seconds kPause{1};

 private:
  // A bucket as one number: when it is full again (the generic cell rate algorithm).
  struct alignas(64) Counts {
    std::atomic<int64_t> calls{0};
    std::atomic<int64_t> items{0};
    std::atomic<int64_t> in_flight{0};
    std::atomic<int64_t> connections{0};
  };
  // Refused calls that follow each other without a pause.
  struct Refusals {
    Time first{};
    Time last{};
    bool overstay = false;
  };
  Counts& Of(Share share) { return shares_[static_cast<size_t>(share)]; }
  const Counts& Of(Share share) const { return shares_[static_cast<size_t>(share)]; }

  Excess Refuse(Share share, Limit limit, int32_t value, std::chrono::milliseconds wait, Time now);

  const std::string caller_;
  std::array<Counts, 2> shares_;
  std::atomic<int32_t> calls_per_second_{0};
  std::atomic<int32_t> items_per_second_{0};
  std::atomic<int32_t> calls_in_flight_{0};
  std::atomic<int32_t> most_connections_{0};
  std::array<std::atomic<uint64_t>, kAllLimits.size()> refused_{};  // by Limit
  base::Mutex refusals_mutex_;
  std::array<Refusals, 2> refusals_ GUARDED_BY(refusals_mutex_);
};

}  // namespace consent::callers
