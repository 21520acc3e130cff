// The figures of `requests report --by` as one list.
#pragma once

#include <vector>

#include "client/cli/engines/deletion_tally.h"
#include "client/cli/engines/period_tally.h"
#include "client/cli/render/render_report.h"

namespace consent::cli {

// In a fixed order, period by period; each group that occurs has a figure for each period. `now` gives what is open.
std::vector<Figure> FiguresOf(const PeriodTally& tally, const DeletionTally& now);

}  // namespace consent::cli
