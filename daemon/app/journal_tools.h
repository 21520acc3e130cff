// What `consentd journal` and `consentd keys backup-pair` do. None needs a daemon or its keys.
#pragma once

#include <string>

namespace consent::app {

// `consentd journal verify`: reads every record; on standard output what the journal has: entries, sequences, kinds and
// what is torn; on standard error where it is damaged. Returns the process's exit code.
int VerifyJournal(const std::string& folder);

// `consentd keys backup-pair`: makes a pair; writes the secret half into a new file, and the line of the public half to
// standard output. Returns the process's exit code.
int MakeBackupPair(const std::string& secret_file);

}  // namespace consent::app
