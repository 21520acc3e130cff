// `consentd restore ...`.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/ops/config.h"

namespace consent::ops {

// `arguments` begin with `restore`: the backup's folder, --journal, --secret, and any options of `serve`, of which
// those of the store's place and keys count. InvalidArgument: how it is used, or an option of `serve` that is wrong.
absl::StatusOr<Invocation> ParseRestoreCommand(const std::vector<std::string>& arguments,
                                               const ProcessEnvironment& environment);

}  // namespace consent::ops
