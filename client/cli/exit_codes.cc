#include "client/cli/exit_codes.h"

#include "consent/error.h"

namespace consent::cli {

bool NoAnswer(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return true;
    case absl::StatusCode::kResourceExhausted:
      return ErrorOf(status).reason == "OVERLOADED";
    case absl::StatusCode::kFailedPrecondition:
      return ErrorOf(status).reason == "CLOCK_BEHIND" || ErrorOf(status).reason == "CLOCK_DOUBTFUL";
    default:
      return false;
  }
}

ExitCode CodeFor(const absl::Status& status) { return NoAnswer(status) ? kNoAnswer : kRefused; }

}  // namespace consent::cli
