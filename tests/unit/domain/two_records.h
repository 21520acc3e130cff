// Words of the tests in which two records become one.
#pragma once

#include <cstdint>

#include <gtest/gtest.h>

#include "daemon/domain/types.h"

namespace consent::domain {

inline constexpr Instant kJoinedAt{1'000'000'000};

constexpr Instant T(int64_t seconds) { return Instant{seconds * 1'000'000}; }
inline Region Of(const char* name) {
  Region region;
  EXPECT_TRUE(Region::Parse(name, &region));
  return region;
}

}  // namespace consent::domain
