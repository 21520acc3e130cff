// How many utterances there were: what a rate of review grants is a part of.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "daemon/domain/types.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/state/core.h"

namespace consent::service {

struct PopulationReport {
  uint32_t hour = 0;                                        // since 1970, of UTC
  std::vector<std::pair<domain::Region, uint64_t>> counts;  // by country, each once
};

// What the caller says of that hour takes the place of what it said before; what other callers say of it counts beside.
// Durable, and counted by every lease that begins later, when it is answered. After an error some countries may have
// been taken and others not: repeat it. NOT_SERVING, CONTENTION, OVERLOADED, OUTCOME_UNKNOWN, STORE_UNREADABLE,
// INTERNAL. Thread-safe. Blocks.
absl::Status ReportPopulation(Core& core, const PopulationReport& report, const Caller& caller);

}  // namespace consent::service
