#include "daemon/wire/errors.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "proto/enum_names.h"

namespace consent::wire {
namespace {

constexpr char kInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kBadRequestUrl[] = "type.googleapis.com/google.rpc.BadRequest";
constexpr char kRetryUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr size_t kMaxViolations = 16;

struct Coded {
  v1::ErrorReason reason;
  absl::StatusCode code;
};

// As errors.proto lists them; what is not here is INTERNAL. Errors.EveryReasonHasItsCodeAndName finds one that is
// forgotten.
constexpr Coded kCodes[] = {
    {v1::ERROR_REASON_MALFORMED_MESSAGE, absl::StatusCode::kInvalidArgument},
    {v1::ERROR_REASON_INVALID_FIELD, absl::StatusCode::kInvalidArgument},
    {v1::ERROR_REASON_MESSAGE_TOO_LARGE, absl::StatusCode::kInvalidArgument},
    {v1::ERROR_REASON_BATCH_TOO_LARGE, absl::StatusCode::kInvalidArgument},
    {v1::ERROR_REASON_SUBJECT_FULL, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_OVERLOADED, absl::StatusCode::kResourceExhausted},
    {v1::ERROR_REASON_SYSTEMS_FULL, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_LIMIT_EXCEEDED, absl::StatusCode::kResourceExhausted},
    {v1::ERROR_REASON_NOT_RECORDED, absl::StatusCode::kResourceExhausted},
    {v1::ERROR_REASON_POLICY_REFUSED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_LOOSENING_NOT_NAMED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_SUBJECT_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_SCOPE_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_POLICY_VERSION_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_DELETION_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_SYSTEM_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_TASK_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_HOLD_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_BACKUP_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_BACKUP_RUNNING, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_BACKUP_UNSOUND, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_BACKUP_NOT_MADE, absl::StatusCode::kUnavailable},
    {v1::ERROR_REASON_NO_SETTINGS_AT_TIME, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_ETAG_MISMATCH, absl::StatusCode::kAborted},
    {v1::ERROR_REASON_CONTENTION, absl::StatusCode::kUnavailable},
    {v1::ERROR_REASON_LEASE_LOST, absl::StatusCode::kAborted},
    {v1::ERROR_REASON_ETAG_REQUIRED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_EVIDENCE_REQUIRED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_NOTICE_NOT_USABLE, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_GUARDIAN_REQUIRED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_IMPORT_CANNOT_LOOSEN, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_REVISION_NOT_REACHED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_CLOCK_BEHIND, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_CLOCK_DOUBTFUL, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_CLOCK_DISAGREES, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_NOT_SUSPENDED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_DELETION_STATE, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_EXTENSION_NOT_ALLOWED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_SYSTEM_CANNOT_MATCH, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_SYSTEM_HAS_TASKS, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_ACCOUNT_CLOSED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_REQUEST_ID_REUSED, absl::StatusCode::kAlreadyExists},
    {v1::ERROR_REASON_SYSTEM_EXISTS, absl::StatusCode::kAlreadyExists},
    {v1::ERROR_REASON_NOT_SERVING, absl::StatusCode::kUnavailable},
    {v1::ERROR_REASON_OUTCOME_UNKNOWN, absl::StatusCode::kUnavailable},
    {v1::ERROR_REASON_STORE_UNREADABLE, absl::StatusCode::kUnavailable},
    {v1::ERROR_REASON_ROLE_REQUIRED, absl::StatusCode::kPermissionDenied},
    {v1::ERROR_REASON_CALLER_UNKNOWN, absl::StatusCode::kPermissionDenied},
    {v1::ERROR_REASON_CERTIFICATE_NOT_ACCEPTED, absl::StatusCode::kPermissionDenied},
    {v1::ERROR_REASON_SYSTEM_NOT_YOURS, absl::StatusCode::kPermissionDenied},
    {v1::ERROR_REASON_CHILD_NOT_INACTIVE, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_APPROVAL_REQUIRED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_PROPOSAL_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_PROPOSAL_STATE, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_OTHER_PERSON_REQUIRED, absl::StatusCode::kPermissionDenied},
    {v1::ERROR_REASON_PROPOSALS_FULL, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_SAFETY_FLAG_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_SAFETY_FLAG_HANDLED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_SAFETY_FLAG_ACKNOWLEDGED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_KEY_FILE_REFUSED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_ACCOUNT_JOINED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_GRANT_NOT_FOUND, absl::StatusCode::kNotFound},
    {v1::ERROR_REASON_GRANT_LOST, absl::StatusCode::kAborted},
    {v1::ERROR_REASON_GRANT_ENDED, absl::StatusCode::kFailedPrecondition},
    {v1::ERROR_REASON_MEDIA_TOKEN_REFUSED, absl::StatusCode::kPermissionDenied},
};
static_assert(std::size(kCodes) + 1 == v1::ErrorReason_MAX, "each reason but INTERNAL has its code here");

absl::StatusCode CodeOf(v1::ErrorReason reason) {
  const auto* const at = std::find_if(std::begin(kCodes), std::end(kCodes),
                                      [reason](const Coded& coded) { return coded.reason == reason; });
  return at == std::end(kCodes) ? absl::StatusCode::kInternal : at->code;
}

absl::Status Make(v1::ErrorReason reason, const std::string& message,
                  const std::map<std::string, std::string>& metadata,
                  const std::vector<std::pair<std::string, std::string>>& violations) {
  absl::Status status(CodeOf(reason), message);
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonName(reason));
  info.set_domain("consent.v1");
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  status.SetPayload(kInfoUrl, absl::Cord(info.SerializeAsString()));
  if (!violations.empty()) {
    google::rpc::BadRequest bad;
    for (const auto& [field, description] : violations) {
      if (static_cast<size_t>(bad.field_violations_size()) == kMaxViolations) break;
      auto* violation = bad.add_field_violations();
      violation->set_field(field);
      violation->set_description(description);
    }
    status.SetPayload(kBadRequestUrl, absl::Cord(bad.SerializeAsString()));
  }
  return status;
}

// "request_id: must be 1 to 64 bytes (and 2 more)"; the trailer that carries it is bounded, the details list the
// others.
std::string Summary(const std::vector<std::pair<std::string, std::string>>& violations) {
  if (violations.empty()) return "a field is invalid";
  const auto& [field, description] = violations.front();
  std::string text = field.empty() ? description : field + ": " + description;
  if (violations.size() > 1) text += " (and " + std::to_string(violations.size() - 1) + " more)";
  return text;
}

}  // namespace

absl::Status MakeError(v1::ErrorReason reason, const std::string& message,
                       const std::map<std::string, std::string>& metadata) {
  return Make(reason, message, metadata, {});
}

absl::Status MakeRetryError(v1::ErrorReason reason, const std::string& message,
                            const std::map<std::string, std::string>& metadata, std::chrono::milliseconds retry_after) {
  absl::Status status = MakeError(reason, message, metadata);
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(retry_after.count() / 1'000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(retry_after.count() % 1'000 * 1'000'000));
  status.SetPayload(kRetryUrl, absl::Cord(retry.SerializeAsString()));
  return status;
}

absl::Status OverloadedError(const std::string& message) {
  // A full queue's tasks take about as long; a client adds its backoff.
  constexpr std::chrono::milliseconds kPause{100};
  return MakeRetryError(v1::ERROR_REASON_OVERLOADED, message, {}, kPause);
}

absl::Status FieldError(std::string field, std::string description) {
  return FieldErrors({{std::move(field), std::move(description)}});
}

absl::Status FieldErrors(const std::vector<std::pair<std::string, std::string>>& violations) {
  return Make(v1::ERROR_REASON_INVALID_FIELD, Summary(violations), {}, violations);
}

absl::Status MalformedError(const std::vector<std::pair<std::string, std::string>>& violations) {
  return Make(v1::ERROR_REASON_MALFORMED_MESSAGE, Summary(violations), {}, violations);
}

ErrorDetail DetailOf(const absl::Status& status) {
  ErrorDetail detail;
  const auto info_bytes = status.GetPayload(kInfoUrl);
  google::rpc::ErrorInfo info;
  if (!info_bytes || !info.ParseFromString(std::string(*info_bytes))) return detail;
  const std::optional<int> reason = proto::EnumNumber<v1::ErrorReason>(info.reason());
  if (reason.has_value()) detail.reason = static_cast<v1::ErrorReason>(*reason);
  for (const auto& [key, value] : info.metadata()) detail.metadata[key] = value;
  const auto bad_bytes = status.GetPayload(kBadRequestUrl);
  google::rpc::BadRequest bad;
  if (bad_bytes && bad.ParseFromString(std::string(*bad_bytes))) {
    for (const auto& violation : bad.field_violations()) {
      detail.violations.emplace_back(violation.field(), violation.description());
    }
  }
  const auto retry_bytes = status.GetPayload(kRetryUrl);
  google::rpc::RetryInfo retry;
  if (retry_bytes && retry.ParseFromString(std::string(*retry_bytes))) {
    detail.retry_after =
        std::chrono::milliseconds(retry.retry_delay().seconds() * 1'000 + retry.retry_delay().nanos() / 1'000'000);
  }
  return detail;
}

std::string ReasonName(v1::ErrorReason reason) {
  const std::string_view name = proto::EnumName<v1::ErrorReason>(reason);
  return name.empty() ? "INTERNAL" : std::string(name);
}

}  // namespace consent::wire
