// `consentd serve`: from options to exit code.
#pragma once

#include "daemon/ops/config.h"

namespace consent::app {

// Runs until it is told to stop. Blocks SIGTERM, SIGINT and SIGHUP, so no other thread may exist yet.
int Serve(const ops::ServeOptions& options);

}  // namespace consent::app
