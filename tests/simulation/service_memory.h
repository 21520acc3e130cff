// What a service remembers of its store, as text that two services can be compared by.
#pragma once

#include <string>
#include <vector>

#include "tests/support/service/world.h"

namespace consent::simulation {

// Records, marks and decisions of the accounts, gauges, counts of tasks, policies and data systems. Two services that
// know the same, asked at the same time, give the same lines.
std::vector<std::string> MemoryOf(test::World& world, const std::vector<std::string>& accounts);

// The first line in which they differ; empty: none.
std::string FirstDifference(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace consent::simulation
