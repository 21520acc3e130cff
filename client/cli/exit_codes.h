// How consentctl ends. Scripts depend on these numbers: they never change their meaning.
#pragma once

#include "absl/status/status.h"

namespace consent::cli {

enum ExitCode {
  // Done; the answer is yes; every line was read and asked about.
  kDone = 0,
  // The answer is no, or part of what was asked for was refused.
  kNo = 1,
  // The command line is wrong.
  kUsage = 2,
  // The daemon cannot be reached or gave no answer. Nothing counts as allowed; repeat later.
  kNoAnswer = 3,
  // The daemon refused the call.
  kRefused = 4,
  // All readable lines were asked about, but some lines could not be read.
  kUnreadable = 5,
  // A file or standard output could not be read or written.
  kFiles = 6,
  // `worker --once`: tasks of the system are still open.
  kWorkLeft = 40,
};

inline constexpr char kExitCodesHelp[] =
    "Exit codes:\n"
    "  0  done; the answer is yes; every line was read and asked about\n"
    "  1  the answer is no (check), or part of the request was refused (settings, subject, import)\n"
    "  2  wrong command line\n"
    "  3  the daemon cannot be reached or gave no answer; nothing counts as allowed\n"
    "  4  the daemon refused the call\n"
    "  5  some lines could not be read (filter, import)\n"
    "  6  a file or standard output could not be read or written\n"
    "  40 tasks of the system are still open (worker --once)\n";

// True where the daemon did not get to an answer and repeating later makes sense.
bool NoAnswer(const absl::Status& status);

// kNoAnswer or kRefused.
ExitCode CodeFor(const absl::Status& status);

}  // namespace consent::cli
