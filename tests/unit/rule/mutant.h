// A rule that is wrong in one point.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/support/model/case.h"

namespace consent::model {

using Spoil = void (*)(Case*);                           // what the wrong rule does not see or sees otherwise
using Twist = void (*)(const Case&, domain::Decision*);  // what it makes of its answer

struct Mutant {
  const char* name;
  Spoil spoil;
  Twist twist;
};

template <typename List, typename F>
void Drop(List* list, F f) {
  list->erase(std::remove_if(list->begin(), list->end(), f), list->end());
}

// Those that are wrong about caps.
std::vector<Mutant> CapMutants();

}  // namespace consent::model
