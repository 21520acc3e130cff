// `consentd journal ...` and `consentd keys ...`: what is asked about restriction journals and their keys.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/ops/config.h"

namespace consent::ops {

// `arguments` begin with `journal` or `keys`. InvalidArgument: how it is used. Pure.
absl::StatusOr<Invocation> ParseJournalCommand(const std::vector<std::string>& arguments);

}  // namespace consent::ops
