// What must hold of a log of calls, however they were interleaved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/service/world.h"

namespace consent::simulation {

// A moment of the log: moments of one log are distinct and ordered as the calls' beginnings and ends were.
using Moment = uint64_t;

struct Change {
  int subject = 0;
  bool on = false;
  Moment began = 0;
  std::optional<Moment> ended;
  bool applied = false;   // of an ended one: acknowledged
  uint64_t revision = 0;  // of an acknowledged one
};

struct Check {
  int subject = 0;
  Moment began = 0;
  bool yes = false;
};

struct Log {
  std::vector<Change> changes;
  std::vector<Check> checks;
};

// What is wrong, one a line; empty: nothing is.
std::string Violations(const Log& log);

// What is wrong with the subject's history beside its settings; empty: they agree. `subject` has more than one change.
std::string HistoryDisagrees(test::World& world, const std::string& account);

// The first seed and how many, from CONSENT_SIMULATION_SEED and CONSENT_SIMULATION_RUNS; without the latter one in
// CONSENT_SIMULATION_SHARE of what is usual. What a test must have met on its way is asked of a whole run alone.
struct Seeds {
  uint64_t first = 1;
  uint64_t count = 0;
  bool whole = false;  // at least as many as usual
};
Seeds SeedsOf(uint64_t count_by_default);

}  // namespace consent::simulation
