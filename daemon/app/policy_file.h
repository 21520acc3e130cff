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
// hash, and then what of it cannot work, one warning per line. Returns the process's exit code; warnings are no
// problem.
int ValidatePolicyFile(const std::string& path);

// `consentd policy diff`: on standard output what `next` allows more than `old`, what less, and what else differs, each
// difference word by word on a line of its own. Returns the process's exit code.
int DiffPolicyFiles(const std::string& old, const std::string& next);

}  // namespace consent::app
