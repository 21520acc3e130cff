// GrpcClient's calls for SAFETY flags, and their conversions.
#include "client/src/convert.h"
#include "client/src/grpc_client.h"

namespace consent {

void ToProto(const SafetyFlagQuery& query, v1::ListSafetyFlagsRequest* out) {
  out->set_account_id(query.account_id.value());
  out->set_page_size(query.page_size);
  out->set_page_token(query.page_token);
  out->set_overdue(query.overdue);
}

namespace {

template <typename Order, typename Request>
void WriteOrder(const Order& order, Request* out) {
  out->set_account_id(order.account_id.value());
  out->set_recording_id(order.recording_id.value());
  out->set_note(order.note);
  if (order.evidence != Evidence{}) ToProto(order.evidence, out->mutable_evidence());
  out->set_request_id(order.request_id.value());
}

}  // namespace

void ToProto(const AcknowledgeFlagOrder& order, v1::AcknowledgeSafetyFlagRequest* out) { WriteOrder(order, out); }
void ToProto(const HandleFlagOrder& order, v1::HandleSafetyFlagRequest* out) { WriteOrder(order, out); }

SafetyFlag FromProto(const v1::SafetyFlag& flag) {
  SafetyFlag value;
  value.account_id = AccountId(flag.account_id());
  value.recording_id = RecordingId(flag.recording_id());
  if (flag.has_reported_at()) value.reported_at = FromProto(flag.reported_at());
  value.reported_by = flag.reported_by();
  if (flag.has_acknowledge_by()) value.acknowledge_by = FromProto(flag.acknowledge_by());
  if (flag.has_handle_by()) value.handle_by = FromProto(flag.handle_by());
  if (flag.has_acknowledged_at()) value.acknowledged_at = FromProto(flag.acknowledged_at());
  value.acknowledged_by = flag.acknowledged_by();
  value.overdue = flag.overdue();
  if (flag.has_held_until()) value.held_until = FromProto(flag.held_until());
  return value;
}

absl::StatusOr<SafetyFlagPage> GrpcClient::ListSafetyFlags(const SafetyFlagQuery& query, const CallOptions& options) {
  v1::ListSafetyFlagsRequest request;
  ToProto(query, &request);
  v1::ListSafetyFlagsResponse response;
  const absl::Status status =
      Call(options, true, *recording_, &v1::RecordingService::Stub::ListSafetyFlags, request, &response);
  if (!status.ok()) return status;
  SafetyFlagPage page;
  for (const v1::SafetyFlag& flag : response.flags()) page.flags.push_back(FromProto(flag));
  page.next_page_token = response.next_page_token();
  return page;
}

absl::StatusOr<Etag> GrpcClient::AcknowledgeSafetyFlag(const AcknowledgeFlagOrder& order, const CallOptions& options) {
  v1::AcknowledgeSafetyFlagRequest request;
  ToProto(WithRequestId(order), &request);
  v1::AcknowledgeSafetyFlagResponse response;
  const absl::Status status =
      Call(options, true, *recording_, &v1::RecordingService::Stub::AcknowledgeSafetyFlag, request, &response);
  if (!status.ok()) return status;
  return Etag(response.revision());
}

absl::StatusOr<Etag> GrpcClient::HandleSafetyFlag(const HandleFlagOrder& order, const CallOptions& options) {
  v1::HandleSafetyFlagRequest request;
  ToProto(WithRequestId(order), &request);
  v1::HandleSafetyFlagResponse response;
  const absl::Status status =
      Call(options, true, *recording_, &v1::RecordingService::Stub::HandleSafetyFlag, request, &response);
  if (!status.ok()) return status;
  return Etag(response.revision());
}

}  // namespace consent
