// `consentd policy test`.
#pragma once

#include "daemon/ops/config.h"

namespace consent::app {

// Plays each file of cases against its policy, or against the one that the options name, and says on standard output
// which cases failed, what they expected and what they got: as text, or as one JSON object. Returns the process's exit
// code: kProblems where a case failed or a file cannot be used; the other files are played all the same.
int TestPolicies(const ops::PolicyTestOptions& options);

}  // namespace consent::app
