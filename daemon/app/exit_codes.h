// How `consentd` ends, for supervisors and scripts; documented in README.md. Numbers follow sysexits(3) where it has
// one.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace consent::app {

enum class ExitCode : int {
  kOk = 0,            // stopped as asked
  kProblems = 1,      // `policy ...` or `callers validate` found problems, or a case failed
  kUsage = 64,        // command line, environment or configuration file
  kPolicy = 65,       // the policy file or the callers' file: unreadable, invalid or refused
  kKeys = 66,         // the key file: missing beside a store, open to others, damaged
  kAddress = 69,      // an address or its folder cannot be used
  kInternal = 70,     // a defect
  kStore = 72,        // the store: in use, damaged, incomplete, not to be created
  kWriteFailed = 74,  // a write failed while running; start again
  kShortage = 75,     // no room, memory, thread or descriptor at the moment; start again later
};

// Why the daemon did not start.
struct Failure {
  ExitCode code = ExitCode::kInternal;
  std::string why;  // one line
};

// What may heal by itself (ResourceExhausted) has an exit code that a supervisor starts again after; all else has
// `code`.
inline Failure FailureFrom(ExitCode code, const absl::Status& status) {
  return Failure{absl::IsResourceExhausted(status) ? ExitCode::kShortage : code, std::string(status.message())};
}

}  // namespace consent::app
