// Policies that are looser than another one in a single place. What loosens a field is said in mutants.cc, from the
// product's words and not from the daemon's comparison, for every field that policy.proto has.
#pragma once

#include <string>
#include <vector>

#include "consent/v1/policy.pb.h"

namespace consent::cases {

struct Mutant {
  std::string field;          // its full name
  std::string place;          // where in the document
  std::string named_as;       // what the path of the difference holds
  bool turns_answers = true;  // so that a case can tell
  v1::Policy policy;          // perhaps no valid one
};

// Each field of the document loosened once, and where there are several ways each of them, wherever the field stands. A
// field without a rule fails the test.
std::vector<Mutant> MutantsOf(const v1::Policy& policy);

}  // namespace consent::cases
