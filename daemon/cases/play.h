// Plays cases against a policy by the daemon's own rule and transitions, without a daemon and without a store.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/policy_cases.pb.h"
#include "daemon/policy/document.h"

namespace consent::cases {

// What of a case was not as expected.
struct CaseFailure {
  int step = 0;    // index into the case's steps
  std::string at;  // the step's time, RFC 3339
  std::string expected;
  std::string got;
};

struct CaseResult {
  std::string name;
  std::vector<CaseFailure> failures;  // empty: passed
};

// One result a case, in their order. `cases` is what ParseCases returned. A step that the API would refuse as a whole
// is a failure, and its case goes on. InvalidArgument: the policy cannot come into force at the time that the file
// names. Pure: every clock is the case's; ids are hashed under a fixed key and appear in no result. Thread-safe.
absl::StatusOr<std::vector<CaseResult>> PlayCases(const v1::PolicyCases& cases, const policy::Document& policy);

}  // namespace consent::cases
