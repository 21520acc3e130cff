// Conversions of legal holds and of what tasks leave alone.
#include <utility>

#include "client/src/convert.h"

namespace consent {
namespace {

// Writes the one member of the scope that is set.
struct HeldWriter {
  v1::HoldSelector* out;

  void operator()(std::monostate /*none*/) const {}
  void operator()(WholeAccount /*all*/) const { out->set_account(true); }
  void operator()(const ProfileId& profile) const { out->set_profile_id(profile.value()); }
  void operator()(const DeviceId& device) const { out->set_device_id(device.value()); }
  void operator()(const std::vector<RecordingId>& recordings) const {
    v1::RecordingIds* list = out->mutable_recordings();
    for (const RecordingId& recording : recordings) list->add_recording_ids(recording.value());
  }
};

// What an order to place or to release has in common.
template <typename Order, typename Request>
void WriteHoldOrder(const Order& order, Request* out) {
  out->set_authority(order.authority);
  out->set_reason(order.reason);
  if (order.evidence != Evidence{}) ToProto(order.evidence, out->mutable_evidence());
  out->set_request_id(order.request_id.value());
}

}  // namespace

void ToProto(const HoldSelector& selector, v1::HoldSelector* out) {
  std::visit(HeldWriter{out}, selector.scope);
  if (selector.captured != TimeRange{}) ToProto(selector.captured, out->mutable_captured());
}

void ToProto(const PlaceHoldOrder& order, v1::PlaceHoldRequest* out) {
  out->set_account_id(order.account_id.value());
  ToProto(order.selector, out->mutable_selector());
  WriteHoldOrder(order, out);
  if (order.review_at.has_value()) ToProto(*order.review_at, out->mutable_review_at());
}

void ToProto(const ReleaseHoldOrder& order, v1::ReleaseHoldRequest* out) {
  out->set_hold_id(order.hold_id.value());
  out->set_etag(order.etag.value());
  WriteHoldOrder(order, out);
}

void ToProto(const ReviewHoldOrder& order, v1::ReviewHoldRequest* out) {
  out->set_hold_id(order.hold_id.value());
  if (order.review_at.has_value()) ToProto(*order.review_at, out->mutable_review_at());
  out->set_reason(order.reason);
  if (order.evidence != Evidence{}) ToProto(order.evidence, out->mutable_evidence());
  out->set_request_id(order.request_id.value());
}

void ToProto(const HoldQuery& query, v1::ListHoldsRequest* out) {
  out->set_account_id(query.account_id.value());
  out->set_include_released(query.include_released);
  out->set_past_review(query.past_review);
  out->set_page_size(query.page_size);
  out->set_page_token(query.page_token);
}

HoldSelector FromProto(const v1::HoldSelector& selector) {
  const std::optional<TimeRange> captured = FromProto(selector.captured());
  if (!IsKnown(selector) || !captured.has_value()) return {};
  switch (selector.scope_case()) {
    case v1::HoldSelector::kAccount:
      return selector.account() ? HoldSelector{WholeAccount{}, *captured} : HoldSelector();
    case v1::HoldSelector::kProfileId:
      return {ProfileId(selector.profile_id()), *captured};
    case v1::HoldSelector::kDeviceId:
      return {DeviceId(selector.device_id()), *captured};
    case v1::HoldSelector::kRecordings: {
      // Both together are not in the contract: which of the two would be left alone is not known.
      if (selector.has_captured()) return {};
      std::vector<RecordingId> recordings;
      for (const std::string& id : selector.recordings().recording_ids()) recordings.emplace_back(id);
      return {std::move(recordings), {}};
    }
    case v1::HoldSelector::SCOPE_NOT_SET:
      break;
  }
  return {};
}

Hold FromProto(const v1::Hold& hold) {
  Hold value;
  value.hold_id = HoldId(hold.hold_id());
  value.account_id = AccountId(hold.account_id());
  value.selector = FromProto(hold.selector());
  value.authority = hold.authority();
  value.reason = hold.reason();
  if (hold.has_placed_at()) value.placed_at = FromProto(hold.placed_at());
  if (hold.has_released_at()) value.released_at = FromProto(hold.released_at());
  if (hold.has_review_at()) value.review_at = FromProto(hold.review_at());
  if (hold.has_reviewed_at()) value.reviewed_at = FromProto(hold.reviewed_at());
  value.review_reason = hold.review_reason();
  value.past_review = hold.past_review();
  value.release_authority = hold.release_authority();
  value.release_reason = hold.release_reason();
  value.etag = Etag(hold.etag());
  for (const v1::LeaseOut& lease : hold.leases_out()) {
    value.leases_out.push_back({lease.system(), FromProto(lease.until())});
  }
  return value;
}

}  // namespace consent
