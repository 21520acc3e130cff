// Reading a file that is one JSON object of a message, strictly.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "daemon/json/problems.h"

namespace consent::json {

// Reads `json` into `*message`: at most `max_bytes`, in the form that Scan asks for, without unknown keys and names of
// enum values. `what` names the file for people, such as "policy". InvalidArgument: the first problem; printable ASCII.
absl::Status Parse(std::string_view what, const std::string& json, size_t max_bytes,
                   google::protobuf::Message* message);

// InvalidArgument with `what` and all of them: "policy: 2 problems; path: message; path: message".
absl::Status ToStatus(std::string_view what, const std::vector<Problem>& problems);

}  // namespace consent::json
