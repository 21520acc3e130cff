// Lines of what a tool says that it played to a person, read strictly.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "consent/ids.h"
#include "consent/types.h"

namespace consent {

struct HeardLine {
  // One of both.
  RecordingId recording_id;
  std::string grant_id;
  Time heard_at;
};

// InvalidArgument: the line is none, with the key that is wrong. The message never repeats the line.
absl::StatusOr<HeardLine> ParseHeardLine(std::string_view line);

}  // namespace consent
