#include "client/src/error_details.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/cord.h"
#include "consent/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace consent {
namespace {

constexpr char kPayloadUrl[] = "type.googleapis.com/google.rpc.Status";

// An hour at most, and none where it is negative.
std::chrono::nanoseconds DelayOf(const google::rpc::RetryInfo& retry) {
  constexpr int64_t kMostSeconds = 3600;
  const int64_t seconds = std::clamp<int64_t>(retry.retry_delay().seconds(), 0, kMostSeconds);
  const int32_t nanos = std::clamp(retry.retry_delay().nanos(), 0, 999'999'999);
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanos);
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status converted(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  if (!status.error_details().empty()) converted.SetPayload(kPayloadUrl, absl::Cord(status.error_details()));
  return converted;
}

absl::Status ItemStatus(const std::string& reason, const std::string& message) {
  absl::Status status = absl::InvalidArgumentError(message.empty() ? "this item was refused" : message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  status.SetPayload(kPayloadUrl, absl::Cord(details.SerializeAsString()));
  return status;
}

Error ErrorOf(const absl::Status& status) {
  Error error;
  const auto payload = status.GetPayload(kPayloadUrl);
  google::rpc::Status details;
  if (!payload.has_value() || !details.ParseFromString(std::string(*payload))) return error;
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) {
      error.reason = info.reason();
      error.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (any.UnpackTo(&bad_request)) {
      for (const auto& violation : bad_request.field_violations()) {
        error.fields.push_back({violation.field(), violation.description()});
      }
    } else if (any.UnpackTo(&retry)) {
      error.retry_after = DelayOf(retry);
    }
  }
  return error;
}

}  // namespace consent
