// A file of cases, read and found valid as a whole.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "consent/v1/policy_cases.pb.h"

namespace consent::cases {

// The largest file in bytes.
inline constexpr size_t kMaxFileBytes = size_t{4} * 1024 * 1024;
inline constexpr int kMaxCases = 4096;
inline constexpr int kMaxSteps = 256;
inline constexpr size_t kMaxCaseNameBytes = 256;

// `json` is one JSON object of consent.v1.PolicyCases, read as strictly as a policy is (daemon/json). InvalidArgument:
// the first problem of form, or all of content as far as json::kMaxProblems, each with path, line and column: a bound
// is passed, a name is there twice, a step does nothing, times go back, a case or a question expects nothing. What the
// API would refuse in a step is found when it is played. Pure; thread-safe.
absl::StatusOr<v1::PolicyCases> ParseCases(const std::string& json);

// When the policy came into force: what the file says, or the first of 2026. `cases` is valid.
google::protobuf::Timestamp ActivatedAt(const v1::PolicyCases& cases);

}  // namespace consent::cases
