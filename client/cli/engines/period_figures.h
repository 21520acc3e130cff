// The figures of `requests report --by` as one list.
#pragma once

#include <string>
#include <vector>

#include "client/cli/engines/deletion_tally.h"
#include "client/cli/engines/period_tally.h"
#include "client/cli/render/render_report.h"
#include "consent/reviews.h"

namespace consent::cli {

// In a fixed order, period by period; each group that occurs has a figure for each period. `now` gives what is open.
std::vector<Figure> FiguresOf(const PeriodTally& tally, const DeletionTally& now);

// Section "review_rates" of one month, which is counted as a whole: which part of the utterances people listened to,
// by purpose and country. What was measured has no value where nobody reported utterances.
std::vector<Figure> RateFiguresOf(const std::string& month, const std::vector<HeardRate>& rates);

}  // namespace consent::cli
