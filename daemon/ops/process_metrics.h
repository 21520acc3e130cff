// What other exporters tell of a process, and which version it is.
#pragma once

#include "daemon/ops/metric_registry.h"

namespace consent::ops {

// consentd_build_info, and process_* as other exporters name them: CPU seconds, resident bytes, open files, start time.
// Linux.
void DefineProcessMetrics(MetricRegistry& registry);

}  // namespace consent::ops
