// What other exporters tell of a process, and which version it is.
#pragma once

#include "daemon/ops/metric_registry.h"

namespace consent::ops {

// consentd_build_info, consentd_memory_limit_bytes, and process_* as other exporters name them: CPU seconds, memory,
// open files and how many there may be, start time.
// Linux.
void DefineProcessMetrics(MetricRegistry& registry);

}  // namespace consent::ops
