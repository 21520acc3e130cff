// GrpcClient's calls for legal holds.
#include "client/src/convert.h"
#include "client/src/grpc_client.h"

namespace consent {

absl::StatusOr<HoldPlaced> GrpcClient::PlaceHold(const PlaceHoldOrder& order, const CallOptions& options) {
  v1::PlaceHoldRequest request;
  ToProto(WithRequestId(order), &request);
  v1::PlaceHoldResponse response;
  const absl::Status status = Call(options, true, *hold_, &v1::HoldService::Stub::PlaceHold, request, &response);
  if (!status.ok()) return status;
  return HoldPlaced{FromProto(response.hold()), Etag(response.revision()), response.subject_is_new()};
}

absl::StatusOr<HoldReleased> GrpcClient::ReleaseHold(const ReleaseHoldOrder& order, const CallOptions& options) {
  v1::ReleaseHoldRequest request;
  ToProto(WithRequestId(order), &request);
  v1::ReleaseHoldResponse response;
  const absl::Status status = Call(options, true, *hold_, &v1::HoldService::Stub::ReleaseHold, request, &response);
  if (!status.ok()) return status;
  HoldReleased released{FromProto(response.hold()), std::nullopt};
  if (response.has_proposal()) released.proposal = FromProto(response.proposal());
  return released;
}

absl::StatusOr<Hold> GrpcClient::ReviewHold(const ReviewHoldOrder& order, const CallOptions& options) {
  v1::ReviewHoldRequest request;
  ToProto(WithRequestId(order), &request);
  v1::ReviewHoldResponse response;
  const absl::Status status = Call(options, true, *hold_, &v1::HoldService::Stub::ReviewHold, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.hold());
}

absl::StatusOr<HoldPage> GrpcClient::ListHolds(const HoldQuery& query, const CallOptions& options) {
  v1::ListHoldsRequest request;
  ToProto(query, &request);
  v1::ListHoldsResponse response;
  const absl::Status status = Call(options, true, *hold_, &v1::HoldService::Stub::ListHolds, request, &response);
  if (!status.ok()) return status;
  HoldPage page;
  for (const v1::Hold& hold : response.holds()) page.holds.push_back(FromProto(hold));
  page.next_page_token = response.next_page_token();
  return page;
}

}  // namespace consent
