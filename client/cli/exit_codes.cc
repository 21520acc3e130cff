#include "client/cli/exit_codes.h"

#include "client/cli/terminal.h"
#include "consent/error.h"

namespace consent::cli {

std::string ExitCodesHelp(size_t columns) {
  constexpr size_t kIndent = 6;
  std::string help = "Exit codes:\n";
  for (const ExitCodeMeaning& row : kExitCodes) {
    const std::string number = std::to_string(row.code);
    std::string begin = "  " + std::string(2 - number.size(), ' ') + number + "  ";
    for (const std::string& line : WrapText(row.meaning, columns - kIndent)) {
      help += begin + line + "\n";
      begin = std::string(kIndent, ' ');
    }
  }
  return help;
}

ExitCode CodeForUse(const Answer& answer, Purpose purpose) {
  if (answer.MayUse(purpose)) return kDone;
  return answer.eligibility() == Eligibility::kNotEligible ? kNotEligible : kNoAnswer;
}

ExitCode CodeForDisposition(const Answer& answer) {
  switch (answer.disposition()) {
    case Disposition::kKeep:
      return kKeep;
    case Disposition::kHold:
      return kHold;
    case Disposition::kPurge:
      return kPurge;
    case Disposition::kUnset:
      break;
  }
  return kNoAnswer;
}

ExitCode CodeForExplanation(const Explanation& explanation, Purpose purpose) {
  const bool is_told = (purpose == Purpose::kUnset || explanation.eligibility != Eligibility::kUnset) &&
                       explanation.disposition != Disposition::kUnset;
  return is_told ? kExplained : kNoAnswer;
}

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
