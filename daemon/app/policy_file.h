// The policy that the daemon was told to run.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "daemon/policy/document.h"

namespace consent::app {

// Reads and validates `path`; empty: the compiled-in policy. Never waits for what lies in the file's place. NotFound,
// Unavailable, ResourceExhausted: the file cannot be read; FailedPrecondition: it is no regular file, or everybody may
// write it; InvalidArgument: it is no valid policy, with every problem.
absl::StatusOr<policy::Document> LoadPolicy(const std::string& path);

// `consentd policy validate`: what is wrong with the file on standard output, one problem per line, or its version and
// hash. Returns the process's exit code.
int ValidatePolicyFile(const std::string& path);

}  // namespace consent::app
