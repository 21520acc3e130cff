// What `consentd keys` does.
#pragma once

#include "daemon/ops/config.h"

namespace consent::app {

// Does `options.keys` to the key file of `options.serve`, and says so on standard output; no byte of a key is ever
// printed. The code to end with: kOk; kKeys: the key file cannot be used, or what was asked cannot be done, which
// standard error says; kStore: the store that drop-master asks cannot be read.
int RunKeys(const ops::Invocation& options);

}  // namespace consent::app
