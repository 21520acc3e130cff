// How `consentd` ends, for supervisors and scripts; documented in README.md. Numbers follow sysexits(3) where it has one.
#pragma once

#include <string>

namespace consent::app {

enum class ExitCode : int {
  kOk = 0,            // stopped as asked
  kProblems = 1,      // `policy validate` found problems
  kUsage = 64,        // command line, environment or configuration file
  kPolicy = 65,       // the policy file: unreadable, invalid or refused
  kKeys = 66,         // the key file: missing beside a store, open to others, damaged
  kAddress = 69,      // an address or its folder cannot be used
  kInternal = 70,     // a defect
  kSystem = 71,       // the system allows the process too little: open files
  kStore = 72,        // the store: in use, damaged, incomplete, not to be created
  kWriteFailed = 74,  // a write failed while running; start again
};

// Why the daemon did not start.
struct Failure {
  ExitCode code = ExitCode::kInternal;
  std::string why;  // one line
};

}  // namespace consent::app
