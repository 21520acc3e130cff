// Counters that many threads add to and a scrape sums up: no lock, no lookup, and little sharing of cache lines.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace consent::ops {

inline constexpr size_t kCounterShards = 8;

// This thread's shard; threads are dealt out in turn.
inline size_t CounterShard() {
  static std::atomic<size_t> dealt{0};
  thread_local const size_t mine = dealt.fetch_add(1, std::memory_order_relaxed) % kCounterShards;
  return mine;
}

// N counters from zero. Thread-safe. An Add that happened before a Sum is in it; a concurrent one may be.
template <size_t N>
class Counters {
 public:
  void Add(size_t index, uint64_t amount = 1) {
    shards_[CounterShard()].cells[index].fetch_add(amount, std::memory_order_relaxed);
  }
  uint64_t Sum(size_t index) const {
    uint64_t sum = 0;
    for (size_t i = 0; i < kCounterShards; ++i) sum += shards_[i].cells[index].load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(64) Shard {
    std::array<std::atomic<uint64_t>, N> cells{};
  };
  std::unique_ptr<Shard[]> shards_ = std::make_unique<Shard[]>(kCounterShards);
};

// Upper bounds of the latency buckets in nanoseconds; what is slower falls into one more. Each costs a line of a scrape
// for each method that was called, so there are few: two or three a decade where checks and changes lie.
inline constexpr std::array<int64_t, 12> kLatencyBounds = {25'000,      100'000,     250'000,       1'000'000,
                                                           2'500'000,   5'000'000,   10'000'000,    25'000'000,
                                                           100'000'000, 250'000'000, 1'000'000'000, 5'000'000'000};
inline constexpr size_t kLatencyCells = kLatencyBounds.size() + 2;  // buckets, the one above, and the sum

// Cell of a latency: the first bound that it does not exceed.
constexpr size_t LatencyCell(int64_t nanoseconds) {
  size_t cell = 0;
  while (cell < kLatencyBounds.size() && nanoseconds > kLatencyBounds[cell]) ++cell;
  return cell;
}
inline constexpr size_t kLatencySum = kLatencyCells - 1;

}  // namespace consent::ops
