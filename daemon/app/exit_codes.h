// How `consentd` ends, for supervisors and scripts; documented in README.md. Numbers follow sysexits(3) where it has
// one.
#pragma once

#include <array>
#include <cstdio>
#include <string>

#include "absl/status/status.h"

namespace consent::app {

enum class ExitCode : int {
  kOk = 0,            // stopped as asked
  kProblems = 1,      // `policy ...`, `callers validate` or `store verify` found problems, or a case failed
  kUsage = 64,        // command line, environment or configuration file
  kPolicy = 65,       // the policy file or the callers' file: unreadable, invalid or refused
  kKeys = 66,         // the key file: missing beside a store, open to others, damaged
  kAddress = 69,      // an address or its folder cannot be used
  kInternal = 70,     // a defect
  kStore = 72,        // the store: in use, damaged, incomplete, not to be created
  kWriteFailed = 74,  // a write failed while running; start again
  kShortage = 75,     // no room, memory, thread or descriptor at the moment; start again later
};

struct ExitCodeMeaning {
  ExitCode code;
  const char* meaning;
};

// All of them, in ascending order, for its manual.
inline constexpr std::array kExitCodes = {
    ExitCodeMeaning{ExitCode::kOk, "stopped as asked, or done"},
    ExitCodeMeaning{ExitCode::kProblems,
                    "`policy`, `callers validate` or `store verify` found problems, or a case failed"},
    ExitCodeMeaning{ExitCode::kUsage, "wrong command line, environment or configuration file"},
    ExitCodeMeaning{ExitCode::kPolicy, "the policy file or the callers' file cannot be read, is invalid or refused"},
    ExitCodeMeaning{ExitCode::kKeys, "the key file is missing beside a store, open to others, or damaged"},
    ExitCodeMeaning{ExitCode::kAddress, "an address or the socket's folder cannot be used"},
    ExitCodeMeaning{ExitCode::kInternal, "a defect"},
    ExitCodeMeaning{ExitCode::kStore, "the store is in use, damaged or incomplete, or cannot be made"},
    ExitCodeMeaning{ExitCode::kWriteFailed, "a write failed while it ran; start it again"},
    ExitCodeMeaning{ExitCode::kShortage,
                    "no room, memory, thread or descriptor can be had at the moment; start it again later"},
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

// Of a command that is no daemon: one line on standard error. Returns how the process ends.
inline int TellFailure(ExitCode code, const absl::Status& status) {
  const Failure failure = FailureFrom(code, status);
  std::fprintf(stderr, "consentd: %s\n", failure.why.c_str());
  return static_cast<int>(failure.code);
}

}  // namespace consent::app
