// Shadow mode of `consentctl filter`: everything passes, and what would have been left out is counted.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/engines/filter_engine.h"
#include "consent/recording_lines.h"
#include "consent/shadow.h"

namespace consent::cli {

// Whether a trial until then is still on; at its very end it is over. InvalidArgument: it would end more than
// kLongestShadow after `now`, or not `keep_ids`: in shadow mode all lines pass as they came, and what comes out must
// stay the same when it ends. Pure.
absl::StatusOr<bool> IsInShadow(Time until, Time now, bool keep_ids);

// Passes the input on as long as the trial is on, also where it ends in the middle of a run: then the line that was
// begun is still passed on to its end, and nothing behind it. Not thread-safe.
class ShadowPass {
 public:
  // A trial until `until`, which is counted by `clock` from `now` on. `write` is false where it failed.
  ShadowPass(Time until, Time now, std::shared_ptr<const Clock> clock, RecordingLineReader::Copy write);
  // For RecordingLineReader: false where it could not be written, or the trial is over.
  bool Take(std::string_view bytes);
  // It ended before the input did.
  bool is_over() const { return is_over_; }

 private:
  const ShadowTrial trial_;
  const RecordingLineReader::Copy write_;
  bool within_line_ = false;
  bool is_over_ = false;
};

// What is said first and last of all, with the line's end.
std::string ShadowBeginsText(Time until, bool is_on);
std::string ShadowEndsText(const FilterCounts& counts);

// Passes on what is left of the input once nobody answers any more; its lines are unanswered. Where that fails *end
// says so, else it stays.
void PassTheRest(RecordingLineReader* reader, FilterCounts* counts, FilterEnd* end);

}  // namespace consent::cli
