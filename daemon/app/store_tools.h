// `consentd store ...`: offline looks at a store's folder or a backup's, and copies of them.
#pragma once

#include "daemon/ops/config.h"

namespace consent::app {

// Prints what is found to standard output, what failed to standard error. Returns the process's exit code: kProblems
// where verifying found something, kStore where the folder cannot be used.
int RunStoreTool(const ops::StoreToolOptions& options);

}  // namespace consent::app
