#include "daemon/domain/review_rate.h"

#include <algorithm>
#include <cmath>

namespace consent::domain {

MeasuredRate MeasureRate(uint64_t heard, uint64_t population) {
  constexpr double kMillion = 1e6;
  constexpr double kZ = 1.959963984540054;  // of 95 %
  const auto n = static_cast<double>(population);
  const double p = std::min(static_cast<double>(heard) / n, 1.0);
  const double width = 1 + kZ * kZ / n;
  const double middle = (p + kZ * kZ / (2 * n)) / width;
  const double half = kZ / width * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  // At either end the difference is rounded to something near it.
  const double low = heard == 0 ? 0 : std::max(middle - half, 0.0);
  const double high = p == 1 ? 1 : std::min(middle + half, 1.0);
  return {p * kMillion, low * kMillion, high * kMillion};
}

}  // namespace consent::domain
