// How long something took, counted for a histogram.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace consent::store {

// Upper bounds of the buckets in seconds; what took longer falls into one more.
inline constexpr std::array<double, 15> kDurationBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                           0.05,   0.1,     0.25,   0.5,   1,      2.5,   10};

struct DurationCounts {
  std::array<uint64_t, kDurationBounds.size() + 1> buckets{};  // each its own, not summed up
  double sum_seconds = 0;
};

// Thread-safe; an Observe costs two relaxed additions. A snapshot may have the one of a concurrent Observe without the
// other.
class Durations {
 public:
  void Observe(std::chrono::steady_clock::duration took) {
    const int64_t nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
    const double seconds = static_cast<double>(nanoseconds) / 1e9;
    size_t bucket = 0;
    while (bucket < kDurationBounds.size() && seconds > kDurationBounds[bucket]) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_nanoseconds_.fetch_add(nanoseconds, std::memory_order_relaxed);
  }
  DurationCounts counts() const {
    DurationCounts counts;
    for (size_t i = 0; i < buckets_.size(); ++i) counts.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
    counts.sum_seconds = static_cast<double>(sum_nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    return counts;
  }

 private:
  std::array<std::atomic<uint64_t>, kDurationBounds.size() + 1> buckets_{};
  std::atomic<int64_t> sum_nanoseconds_{0};
};

}  // namespace consent::store
