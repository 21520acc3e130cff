#include "client/cli/engines/filter_shadow.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "client/cli/render/render.h"

namespace consent::cli {

absl::StatusOr<bool> IsInShadow(Time until, Time now, bool keep_ids) {
  if (until > now + kLongestShadow) {
    return absl::InvalidArgumentError("must be at most 31 days ahead; name a further end when it has come");
  }
  if (!keep_ids) {
    return absl::InvalidArgumentError(
        "needs --keep-ids: in shadow mode all lines pass as they came, ids included, and what comes out stays the same "
        "when it ends");
  }
  return until > now;
}

ShadowPass::ShadowPass(Time until, Time now, std::shared_ptr<const Clock> clock, RecordingLineReader::Copy write)
    : trial_(clock, clock->SinceBoot() + (until - now)), write_(std::move(write)) {}

bool ShadowPass::Take(std::string_view bytes) {
  if (bytes.empty()) return true;
  if (trial_.IsOn()) {
    within_line_ = bytes.back() != '\n';
    return write_(bytes);
  }
  if (within_line_) {
    const size_t end = bytes.find('\n');
    within_line_ = end == std::string_view::npos;
    if (!write_(within_line_ ? bytes : bytes.substr(0, end + 1))) return false;
    if (within_line_) return true;
  }
  is_over_ = true;
  return false;
}

std::string ShadowBeginsText(Time until, bool is_on) {
  if (is_on) {
    return "consentctl: SHADOW MODE until " + TimeText(until) +
           ": every line is passed through as it came, nothing is enforced\n";
  }
  return "consentctl: shadow mode ended at " + TimeText(until) + ": what may not be used is left out\n";
}

std::string ShadowEndsText(const FilterCounts& counts) {
  return "consentctl: SHADOW MODE: nothing was enforced. Of " + std::to_string(counts.lines) +
         " lines that were passed through, " + std::to_string(counts.lines - counts.eligible) +
         " would have been left out\n";
}

void PassTheRest(RecordingLineReader* reader, FilterCounts* counts, FilterEnd* end) {
  for (;;) {
    switch (reader->Next()) {
      case RecordingLineReader::Result::kRecording:
      case RecordingLineReader::Result::kProblem:
        ++counts->lines;
        ++counts->unanswered;
        break;
      case RecordingLineReader::Result::kError:
        *end = {FilterEnd::How::kInputFailed, absl::FailedPreconditionError(std::strerror(errno)), 0};
        return;
      case RecordingLineReader::Result::kCopyFailed:
        *end = {FilterEnd::How::kOutputFailed, absl::FailedPreconditionError(std::strerror(errno)), 0};
        return;
      case RecordingLineReader::Result::kStopped:
        *end = {FilterEnd::How::kStopped, absl::OkStatus(), end->first_unanswered};
        return;
      case RecordingLineReader::Result::kIdle:
      case RecordingLineReader::Result::kEnd:
        return;
    }
  }
}

}  // namespace consent::cli
