// How the process shares out its open files: peers must never take what the store needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "daemon/app/connections.h"

namespace consent::app {

struct DescriptorPlan {
  uint64_t limit = 0;   // open files of the process
  int store_files = 0;  // of the store's tables; what else the store opens is among the daemon's own
  size_t connections = 0;
  size_t per_peer = 0;
  size_t leaving = 0;
};

// The daemon starts with no fewer.
inline constexpr uint64_t kLeastDescriptors = 200;

// Pure. FailedPrecondition: `limit` is below kLeastDescriptors.
absl::StatusOr<DescriptorPlan> PlanDescriptors(uint64_t limit);

// Raises this process's soft limit to its hard one, at most to reads.h's kMostDescriptors; where it may not, the limit
// stays. Comes before all that opens files, because the shell's soft limit says little about what the process may have.
void RaiseDescriptorLimit();
// PlanDescriptors with this process's limit.
absl::StatusOr<DescriptorPlan> PlanOfProcess();

// The default bounds, with the plan's numbers of connections.
ConnectionLimits LimitsOf(const DescriptorPlan& plan);

}  // namespace consent::app
