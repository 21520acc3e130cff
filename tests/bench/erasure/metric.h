// One figure of a running daemon's metrics.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace consent::bench {

// `series` with its labels, as it is written in the text format. `log`: the daemon's, in JSON lines, which says where
// they are served. NotFound: no such series; Unavailable: the daemon does not answer.
absl::StatusOr<double> ReadMetric(const std::string& log, const std::string& series);

}  // namespace consent::bench
