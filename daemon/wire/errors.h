// The errors of the API as absl::Status values that carry their ErrorReason and metadata. Made here, translated to gRPC
// once, in rpc.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "consent/v1/errors.pb.h"

namespace consent::wire {

// What a status carries besides code and message. Never holds an id.
struct ErrorDetail {
  v1::ErrorReason reason = v1::ERROR_REASON_INTERNAL;
  std::map<std::string, std::string> metadata;
  // Field path and what is wrong with it; only of INVALID_FIELD and MALFORMED_MESSAGE. At most 16.
  std::vector<std::pair<std::string, std::string>> violations;
  // When the same may be sent again, where that is known.
  std::optional<std::chrono::milliseconds> retry_after;
};

// The status code follows from the reason, as errors.proto lists it. `message`: what is wrong, which bound, what to do.
absl::Status MakeError(v1::ErrorReason reason, const std::string& message,
                       const std::map<std::string, std::string>& metadata = {});
// The same, with google.rpc.RetryInfo.
absl::Status MakeRetryError(v1::ErrorReason reason, const std::string& message,
                            const std::map<std::string, std::string>& metadata, std::chrono::milliseconds retry_after);
// OVERLOADED, and when to send the same again. The one maker of it, so that none comes without.
absl::Status OverloadedError(const std::string& message);
// INVALID_ARGUMENT with INVALID_FIELD.
absl::Status FieldError(std::string field, std::string description);
absl::Status FieldErrors(const std::vector<std::pair<std::string, std::string>>& violations);
// INVALID_ARGUMENT with MALFORMED_MESSAGE: the bytes are not the declared message.
absl::Status MalformedError(const std::vector<std::pair<std::string, std::string>>& violations);

// The detail of a status that MakeError or FieldError made; any other status is INTERNAL.
ErrorDetail DetailOf(const absl::Status& status);
// "ETAG_MISMATCH" for ERROR_REASON_ETAG_MISMATCH.
std::string ReasonName(v1::ErrorReason reason);

}  // namespace consent::wire
