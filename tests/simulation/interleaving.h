// One run of many clients in an order that the seed alone decides.
#pragma once

#include <string>

#include "tests/simulation/oracle.h"

namespace consent::simulation {

enum class Checker { kAsks, kKeepsAYes };

struct Setting {
  uint64_t seed = 1;
  uint64_t max_subjects = 1000;  // 0: every check goes to the store
  uint16_t partitions = 1;
  Checker checker = Checker::kAsks;  // kKeepsAYes: wrong on purpose, it asks again only when its yes has run out
  bool acknowledges_early = false;   // wrong on purpose
};

struct Outcome {
  Log log;
  std::string wrong;  // empty: nothing was
};

Outcome Play(const Setting& setting);

}  // namespace consent::simulation
