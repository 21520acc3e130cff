// `consentd policy ...`: what is asked about policy files.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/ops/config.h"

namespace consent::ops {

// `arguments` begin with `policy`. InvalidArgument: how it is used. Pure.
absl::StatusOr<Invocation> ParsePolicyCommand(const std::vector<std::string>& arguments);

}  // namespace consent::ops
