// The policy that a daemon without a file of its own runs: deploy/policy.json as it was at build time.
#pragma once

#include <string_view>

namespace consent::policy {

// The file's exact bytes; valid for the life of the process. A test keeps it parseable.
std::string_view DefaultPolicyJson();

}  // namespace consent::policy
