// The policies that ship, and the files of cases that ship beside them.
#pragma once

#include <string>
#include <vector>

#include "consent/v1/policy_cases.pb.h"
#include "daemon/policy/document.h"

namespace consent::cases {

// In deploy: the default one and those of the examples.
struct ShippedPolicy {
  std::string policy;
  std::string cases;
};
inline const std::vector<ShippedPolicy>& ShippedPolicies() {
  static const std::vector<ShippedPolicy> shipped = {
      {"policy.json", "policy.cases.json"},
      {"examples/policy-us-opt-out.json", "examples/policy-us-opt-out.cases.json"},
      {"examples/policy-single-adult.json", "examples/policy-single-adult.cases.json"},
  };
  return shipped;
}

// Each ends the process where the file is not there or not valid. `folder` is deploy.
policy::Document PolicyAt(const std::string& folder, const std::string& name);
v1::PolicyCases CasesAt(const std::string& folder, const std::string& name);

}  // namespace consent::cases
