// What an error of the daemon says, for programs.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "consent/export.h"

namespace consent {

struct FieldViolation {
  // Path from the request, for example "recordings[3].account_id".
  std::string field;
  // What is wrong and which bound applies; never the value.
  std::string description;
};

// Why the daemon, or this library before it, refused a call.
struct Error {
  // An ErrorReason of the protos without its prefix, for example "ETAG_MISMATCH". Empty where the daemon did not speak:
  // a lost connection, a deadline, an argument that was refused before sending.
  std::string reason;
  std::map<std::string, std::string> metadata;
  std::vector<FieldViolation> fields;
  // How long to wait before the same call is sent again (google.rpc.RetryInfo). Absent: the daemon did not ask for it.
  std::optional<std::chrono::nanoseconds> retry_after = std::nullopt;
};

// The details that `status` carries; an empty Error for OK and for a status without details.
CONSENT_EXPORT Error ErrorOf(const absl::Status& status);

}  // namespace consent
