// A daemon's status as JSON.
#pragma once

#include "client/cli/output.h"
#include "consent/status.h"

namespace consent::cli {

// All figures, under the names of the API's fields.
Json StatusJson(const DaemonStatus& status);

}  // namespace consent::cli
