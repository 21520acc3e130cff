// A histogram of latencies with an error below one per cent, and medians.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace consent::bench {

// Not thread-safe.
class Latencies {
 public:
  void Add(uint64_t nanoseconds) {
    ++counts_[Index(nanoseconds)];
    ++total_;
  }
  void Merge(const Latencies& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }
  // Microseconds; 0 where there is none.
  double Quantile(double q) const {
    const auto wanted = static_cast<uint64_t>(q * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return static_cast<double>(Value(i)) / 1000;
    }
    return 0;
  }
  uint64_t total() const { return total_; }

 private:
  // 128 steps for each power of two.
  static constexpr int kBits = 7;
  static size_t Index(uint64_t v) {
    if (v < 1 << kBits) return v;
    const int shift = std::bit_width(v) - kBits - 1;
    return (static_cast<size_t>(shift + 1) << kBits) + static_cast<size_t>((v >> shift) & ((1 << kBits) - 1));
  }
  static uint64_t Value(size_t index) {
    if (index < 1 << kBits) return index;
    const size_t shift = (index >> kBits) - 1;
    return ((uint64_t{1} << kBits) + (index & ((1 << kBits) - 1))) << shift;
  }
  std::vector<uint64_t> counts_ = std::vector<uint64_t>(58 << kBits);
  uint64_t total_ = 0;
};

inline double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace consent::bench
