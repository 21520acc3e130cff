// How consentctl ends. Scripts depend on these numbers: they never change their meaning.
//
// 0 says that the answer is ELIGIBLE, or that all is done, and nothing else. Other answers, no answer and work left lie
// between 10 and 63, which no shell, wrapper or crash gives; a wrong command line and broken files have the numbers of
// sysexits.h.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "consent/answer.h"
#include "consent/explanation.h"

namespace consent::cli {

enum ExitCode {
  kDone = 0,
  kNotEligible = 10,
  kKeep = 11,
  kHold = 12,
  kPurge = 13,
  kExplained = 14,
  kNoAnswer = 20,
  kRefused = 21,
  kPartlyRefused = 22,
  kUnreadable = 30,
  kNotAllCounted = 31,
  kNotEnforced = 32,
  kWorkLeft = 40,
  kSweepLeft = 41,
  kProposed = 42,
  kNotRetried = 43,
  kWrongDecisions = 50,
  kNeedsPerson = 51,
  kDamagedBackup = 52,
  kUsage = 64,
  kInternal = 70,
  kFiles = 74,
  kStopped = 75,
};

struct ExitCodeMeaning {
  ExitCode code;
  // As the help and the README say it.
  const char* meaning;
};

// All of them, in ascending order. The help is made from it; a test holds the README's table against it.
inline constexpr std::array kExitCodes = {
    ExitCodeMeaning{kDone,
                    "done; `check --purpose`: ELIGIBLE; `filter`, `import`, `sweep`: every line was read and asked "
                    "about, or counts"},
    ExitCodeMeaning{kNotEligible, "`check --purpose`: NOT_ELIGIBLE"},
    ExitCodeMeaning{kKeep, "`check --disposition`: KEEP"},
    ExitCodeMeaning{kHold, "`check --disposition`: HOLD; nothing of it may be purged"},
    ExitCodeMeaning{kPurge, "`check --disposition`: PURGE, and nothing else ends with this"},
    ExitCodeMeaning{
        kExplained,
        "`check --explain`, `decisions explain`: something is explained, whatever it was; nobody may use or purge "
        "anything by it"},
    ExitCodeMeaning{
        kNoAnswer,
        "the daemon cannot be reached or gave no answer that can be used; nothing counts as allowed; repeat later"},
    ExitCodeMeaning{kRefused, "the daemon refused the call"},
    ExitCodeMeaning{
        kPartlyRefused,
        "part of what was asked for was refused, the rest is done (`settings set`, `settings opt-out`, `subject set`); "
        "`reviews lease`: some recordings got no grant"},
    ExitCodeMeaning{kUnreadable,
                    "some lines could not be read or asked about (`filter`, `import`, `sweep`, `check --file`, "
                    "`--file`, `decisions find`, "
                    "`export-subject --decisions`); the others were; `reviews lease`: nothing was asked"},
    ExitCodeMeaning{kNotAllCounted,
                    "`import`, `--file`: all lines were read, and something in some of them does not count"},
    ExitCodeMeaning{kNotEnforced,
                    "`filter --shadow-until`: all was passed through, whatever the answers; nothing was enforced"},
    ExitCodeMeaning{kWorkLeft, "`worker --once`: tasks of the system are still open"},
    ExitCodeMeaning{kSweepLeft, "`sweep`: something that must go is still there, or it was stopped before its end"},
    ExitCodeMeaning{
        kProposed,
        "`policy resume`, `policy activate`, `holds release`: it takes two persons and is not done yet; what "
        "is printed says who can approve it, and how"},
    ExitCodeMeaning{
        kNotRetried,
        "`tasks retry`: a task that was named is on hold, waits for late data or is not open; the others are due"},
    ExitCodeMeaning{kWrongDecisions, "`decisions verify`: records are missing or were changed, or a yes was wrong"},
    ExitCodeMeaning{
        kNeedsPerson,
        "`status`: something needs a person; the lines that say what are marked; `backup list`: a backup is "
        "older than it may be, or there is none"},
    ExitCodeMeaning{kDamagedBackup, "`backup create`, `backup verify`: the backup is not whole, and worth nothing"},
    ExitCodeMeaning{kUsage, "wrong command line"},
    ExitCodeMeaning{kInternal, "consentctl itself failed"},
    ExitCodeMeaning{kFiles, "a file or standard output could not be read or written"},
    ExitCodeMeaning{kStopped,
                    "stopped before its end, by SIGINT or SIGTERM or by the answer to its question; what is printed "
                    "says how far it came and how to go on"},
};

// The page of `help exit-codes`, in so many columns.
std::string ExitCodesHelp(size_t columns);

// Of `check`: what the answer says about the purpose. ELIGIBLE is kDone only while it is fresh.
ExitCode CodeForUse(const Answer& answer, Purpose purpose);
// What it says about keeping, fresh or not.
ExitCode CodeForDisposition(const Answer& answer);

// Of an explanation: kExplained whatever it says, because it may be of another time and nothing of it is on record, so
// nobody may take it for a yes or a PURGE. kNoAnswer where something of it cannot be told.
ExitCode CodeForExplanation(const Explanation& explanation, Purpose purpose);

// True where the daemon did not get to an answer and repeating later makes sense.
bool NoAnswer(const absl::Status& status);

// kNoAnswer or kRefused.
ExitCode CodeFor(const absl::Status& status);

}  // namespace consent::cli
