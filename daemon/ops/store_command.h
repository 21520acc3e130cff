// `consentd store ...`: what is asked about a store whose daemon is stopped, or about a backup.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/ops/config.h"

namespace consent::ops {

// `arguments` begin with `store`. InvalidArgument: how it is used. Pure.
absl::StatusOr<Invocation> ParseStoreCommand(const std::vector<std::string>& arguments);

}  // namespace consent::ops
