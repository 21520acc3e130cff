#include "daemon/rpc/status.h"

#include <string>

#include "daemon/wire/errors.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace consent::rpc {
namespace {

constexpr char kInternalText[] = "a defect in the daemon; there is no answer, which means no";

void AddDetails(const wire::ErrorDetail& detail, google::rpc::Status* out) {
  google::rpc::ErrorInfo info;
  info.set_reason(wire::ReasonName(detail.reason));
  info.set_domain("consent.v1");
  for (const auto& [key, value] : detail.metadata) (*info.mutable_metadata())[key] = value;
  out->add_details()->PackFrom(info);
  if (detail.retry_after.has_value()) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(detail.retry_after->count() / 1'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(detail.retry_after->count() % 1'000 * 1'000'000));
    out->add_details()->PackFrom(retry);
  }
  if (detail.violations.empty()) return;
  google::rpc::BadRequest bad;
  for (const auto& [field, description] : detail.violations) {
    auto* violation = bad.add_field_violations();
    violation->set_field(field);
    violation->set_description(description);
  }
  out->add_details()->PackFrom(bad);
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  if (absl::IsCancelled(status)) return grpc::Status::CANCELLED;
  const wire::ErrorDetail detail = wire::DetailOf(status);
  const bool defect = detail.reason == v1::ERROR_REASON_INTERNAL;
  google::rpc::Status details;
  details.set_code(static_cast<int>(defect ? absl::StatusCode::kInternal : status.code()));
  details.set_message(defect ? std::string(kInternalText) : std::string(status.message()));
  AddDetails(defect ? wire::ErrorDetail{} : detail, &details);
  return grpc::Status(static_cast<grpc::StatusCode>(details.code()), details.message(), details.SerializeAsString());
}

}  // namespace consent::rpc
