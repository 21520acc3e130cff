// Shadow mode of `consentctl filter`: everything passes, and what would have been left out is counted.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/engines/filter_engine.h"
#include "client/cli/lines/line_reader.h"

namespace consent::cli {

// Whether a trial until then is still on; at its very end it is over. InvalidArgument: it would end more than
// kLongestShadow after `now`, or not `keep_ids`: in shadow mode all lines pass as they came, and what comes out must
// stay the same when it ends. Pure.
absl::StatusOr<bool> IsInShadow(Time until, Time now, bool keep_ids);

// What is said first and last of all, with the line's end.
std::string ShadowBeginsText(Time until, bool is_on);
std::string ShadowEndsText(const FilterCounts& counts);

// Passes on what is left of the input once nobody answers any more; its lines are unanswered. Where that fails *end
// says so, else it stays.
void PassTheRest(LineReader* reader, FilterCounts* counts, FilterEnd* end);

}  // namespace consent::cli
