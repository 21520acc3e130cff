// The CONSENTD_ variables of the environment as arguments.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace consent::ops {

// Not --help, --config and what belongs on the command line alone.
bool IsSetFromOutside(const CLI::Option& option);

// CLI11 ranks a file over the environment. So the environment's values become arguments in front of the user's own, of
// which the last one wins. Of an option that may be given again the environment's count only where the arguments name
// none. InvalidArgument: a CONSENTD_ variable that is no option of `app`.
absl::StatusOr<std::vector<std::string>> WithEnvironment(const CLI::App& app, const std::vector<std::string>& arguments,
                                                         const std::map<std::string, std::string>& environment);

}  // namespace consent::ops
