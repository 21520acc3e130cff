// The callers' file that the daemon was told to go by.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "consent/v1/callers.pb.h"

namespace consent::app {

// Reads and validates `path`. Never waits for what lies in the file's place. NotFound, Unavailable, ResourceExhausted:
// the file cannot be read; FailedPrecondition: it is no regular file, or everybody may write it; InvalidArgument: it is
// no valid callers' file, with every problem.
absl::StatusOr<v1::CallersFile> LoadCallers(const std::string& path);

// `consentd callers validate`: what is wrong with the file on standard output, one problem per line, or how many
// callers it has. Returns the process's exit code.
int ValidateCallersFile(const std::string& path);

}  // namespace consent::app
