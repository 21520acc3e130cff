// Inputs that are read more than once and known again by what they hold, and files that tell how far a command has
// come.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/files.h"

namespace consent::cli {

// An input that can be read twice: a pipe of at most 4 GiB is copied to a file in $TMPDIR that has no name and goes
// with this process. FailedPrecondition: it cannot be copied, or is larger.
absl::StatusOr<Descriptor> Rereadable(Descriptor input);

// SHA-256 of all of it, in hex; afterwards it stands at its end. FailedPrecondition: it cannot be read.
absl::StatusOr<std::string> HashOfInput(int input);

// All of a file that tells how far a command has come; empty where there is none. Waits for nobody who might write into
// a pipe. `what` names it in messages. FailedPrecondition: it cannot be read, or is no regular file.
absl::StatusOr<std::string> ReadStateFile(const std::string& path, const std::string& what);

}  // namespace consent::cli
