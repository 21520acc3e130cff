// `consentd restore`: what an operator asks for where the store was lost.
#pragma once

#include "daemon/ops/config.h"

namespace consent::app {

// Restores by the options, says each step and what was done on standard output, and logs it as one event. The exit code
// (exit_codes.h): kKeys for the key file or the secret, kStore for all that is wrong with backup, journal or place.
int RestoreStore(const ops::ServeOptions& serve, const ops::RestoreOptions& options);

}  // namespace consent::app
