// `consentd store copy`: another store of one whose daemon is stopped, under its keys or under new ones.
#pragma once

#include "daemon/ops/config.h"

namespace consent::app {

// Prints what was done to standard output, what failed to standard error. Returns the process's exit code: kKeys where
// a key file cannot be used, kStore where a folder cannot.
int CopyTool(const ops::StoreToolOptions& options);

}  // namespace consent::app
