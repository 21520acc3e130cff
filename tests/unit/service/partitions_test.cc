// How subjects spread over a store's partitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/service/state/core.h"
#include "daemon/store/limits.h"
#include "tests/support/base/seeded_keys.h"

namespace consent::service {
namespace {

TEST(Partitions, GetAsManySubjectsEach) {
  constexpr size_t kSubjects = 1'000'000;
  constexpr double kMean = static_cast<double>(kSubjects) / store::kMaxPartitions;
  // 99.9 % of chi-square with 1,023 degrees of freedom (Wilson and Hilferty's approximation).
  constexpr double kMostChiSquare = 1168.5;
  const base::IdHasher hasher = test::SeededKeys(1).Hasher();
  std::vector<size_t> counts(store::kMaxPartitions);
  for (size_t i = 0; i < kSubjects; ++i) {
    ++counts.at(PartitionOf(hasher.Subject("user-" + std::to_string(i)), store::kMaxPartitions).number);
  }
  double chi_square = 0;
  for (const size_t count : counts) {
    const double off = static_cast<double>(count) - kMean;
    chi_square += off * off / kMean;
  }
  const auto [fewest, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_LE(chi_square, kMostChiSquare);
  EXPECT_GE(static_cast<double>(*fewest), 0.85 * kMean);
  EXPECT_LE(static_cast<double>(*most), 1.15 * kMean);
}

}  // namespace
}  // namespace consent::service
