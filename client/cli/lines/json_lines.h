// Recordings as JSON lines: what `consentctl filter` reads and writes. No gRPC.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/lines/json_fields.h"
#include "consent/recording.h"

namespace consent {

// Values for keys that lines lack. Immutable.
class LineDefaults {
 public:
  // None.
  LineDefaults() : values_(nlohmann::json::object()) {}
  // From key and value as typed on a command line; lists are separated by commas. InvalidArgument: a key that no line
  // has, one that says whose recording it is (that must come from the line itself), one that is given twice, or a bad
  // value.
  static absl::StatusOr<LineDefaults> Create(const std::vector<std::pair<std::string, std::string>>& settings);

  const nlohmann::json& values() const { return values_; }

 private:
  nlohmann::json values_;
};

struct RecordingLine {
  Recording recording;
  Place place;
};

// Reads one line (without its end). Keys are those of consent.v1.Recording, and `country`, `site`, `reviewer`; enums by
// short or full name; other keys are ignored unless they read like a known one. InvalidArgument: whatever is wrong,
// without ids.
absl::StatusOr<RecordingLine> ParseRecordingLine(std::string_view line, const LineDefaults& defaults);

// What may be handed on about an eligible recording: its id, the pseudonym and what it is; neither account, profiles
// and device nor times, region below the country, and nothing that this library does not know. One line without its
// end.
std::string AnonymousLine(const Recording& recording, std::string_view pseudonym);

}  // namespace consent
