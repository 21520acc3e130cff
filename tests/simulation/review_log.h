// What tools, stores, apps and officers did around review grants, and what must hold of it. Knows nothing of how grants
// are kept: moments, times by the boot clock, and who touched what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/time.h"

namespace consent::simulation {

// When something began and ended, by a counter of all that happens and by the boot clock.
struct During {
  int64_t began = 0;
  int64_t ended = 0;  // acknowledged
  base::Span boot_began;
  base::Span boot_ended;
  // All that ended before it was there when this took its place in the order: `began`, or later, where the test knows
  // that somebody else was acknowledged before this was committed.
  int64_t commits_after = 0;
};

// A grant that was given.
struct GivenGrant {
  During lease;
  std::string account, recording, reviewer;
  uint64_t fence = 0;
};

enum class UseKind : uint8_t { kOpen = 0, kRedeem = 1, kSubmit = 2, kRenew = 3, kEnd = 4 };
inline constexpr int kUseKinds = 5;
// A use that succeeded.
struct GoodUse {
  UseKind kind = UseKind::kOpen;
  size_t grant = 0;
  During during;
  std::string token;  // of kRedeem
};

// Something that restricts: an account's grants, a reviewer's, or all (both empty).
struct Restricting {
  During during;
  std::string account, reviewer;
  bool is_acknowledged = false;
  bool is_opt_out = false;
};
struct OptingIn {
  During during;
  std::string account;
};

struct ReviewLog {
  std::vector<GivenGrant> grants;
  std::vector<GoodUse> uses;
  std::vector<Restricting> restrictions;
  std::vector<OptingIn> opt_ins;
};

// What is wrong with it; empty: nothing.
std::string WhatIsWrong(const ReviewLog& log);

}  // namespace consent::simulation
