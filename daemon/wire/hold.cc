#include "daemon/wire/hold.h"

#include "daemon/wire/deletion.h"
#include "daemon/wire/digest.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

using base::kMaxAuthorityBytes;

domain::Interval ReadHeldTimes(const v1::TimeRange& range, const Path& at, Violations* violations) {
  domain::Interval interval;
  if (range.has_from()) interval.from = ReadTimestamp(range.from(), Path(at, "from"), violations);
  if (range.has_to()) interval.to = ReadTimestamp(range.to(), Path(at, "to"), violations);
  if (interval.to.IsSet() && interval.from > interval.to) violations->Add(Path(at, "to"), "must not lie before `from`");
  return interval;
}

domain::HeldPart ReadHeld(const v1::HoldSelector& selector, const Path& at, const base::IdHasher& hasher,
                          ChangeReader& reader, Violations* violations) {
  domain::HeldPart held;
  switch (selector.scope_case()) {
    case v1::HoldSelector::kAccount:
      if (!selector.account()) violations->Add(Path(at, "account"), "must be true");
      break;
    case v1::HoldSelector::kProfileId:
      held.scope = reader.Profile(selector.profile_id(), Path(at, "profile_id"));
      break;
    case v1::HoldSelector::kDeviceId:
      held.scope = reader.Device(selector.device_id(), Path(at, "device_id"));
      break;
    case v1::HoldSelector::kRecordings:
      held.recordings = ReadRecordingIds(selector.recordings(), hasher, Path(at, "recordings"), violations);
      if (selector.has_captured()) violations->Add(Path(at, "captured"), "must not be set beside recordings");
      break;
    case v1::HoldSelector::SCOPE_NOT_SET:
      violations->Add(at, "must say what is to be kept");
      break;
  }
  if (selector.has_captured()) held.captured = ReadHeldTimes(selector.captured(), Path(at, "captured"), violations);
  return held;
}

void CheckOrder(const std::string& authority, const std::string& reason, const Path& root, Violations* violations) {
  CheckText(authority, 1, kMaxAuthorityBytes, Path(root, "authority"), violations);
  CheckText(reason, 1, kMaxReasonBytes, Path(root, "reason"), violations);
}

// When somebody has to look at the hold again.
base::Instant ReadReview(const google::protobuf::Timestamp& review_at, base::Instant now, const Path& at,
                         Violations* violations) {
  const base::Instant time = ReadTimestamp(review_at, at, violations);
  if (time.IsSet() && (time <= now || now + base::Days(base::kMaxHoldReviewDays) < time)) {
    violations->Add(at, "must lie ahead, by at most 366 days");
  }
  return time;
}

}  // namespace

absl::StatusOr<PlaceHoldInput> ReadPlaceHold(const v1::PlaceHoldRequest& request, const base::IdHasher& hasher,
                                             base::Instant now) {
  Violations violations;
  const Path root;
  PlaceHoldInput input;
  ChangeReader reader(hasher, &violations, &input.change.names);
  RefuseMistyped(request, root, &violations);
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  CheckText(request.request_id(), 0, kMaxRequestIdBytes, Path(root, "request_id"), &violations);
  CheckOrder(request.authority(), request.reason(), root, &violations);
  input.held = ReadHeld(request.selector(), Path(root, "selector"), hasher, reader, &violations);
  reader.ProofOf(request, root, &input.change.command.proof, &input.change.evidence);
  if (request.has_review_at()) {
    input.review_at = ReadReview(request.review_at(), now, Path(root, "review_at"), &violations);
  }
  if (!violations.empty()) return violations.ToStatus();
  input.authority = request.authority();
  input.reason = request.reason();
  input.selector_bytes = request.selector().SerializeAsString();
  input.change.subject = hasher.Subject(request.account_id());
  input.change.account_id = request.account_id();
  input.change.request_id = request.request_id();
  input.change.digest = RequestDigest(request);
  return input;
}

absl::StatusOr<ReleaseHoldInput> ReadReleaseHold(const v1::ReleaseHoldRequest& request, const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  ReleaseHoldInput input;
  ChangeReader reader(hasher, &violations, &input.change.names);
  RefuseMistyped(request, root, &violations);
  CheckId(request.hold_id(), Path(root, "hold_id"), &violations);
  CheckText(request.etag(), 0, kMaxTokenBytes, Path(root, "etag"), &violations);
  CheckText(request.request_id(), 0, kMaxRequestIdBytes, Path(root, "request_id"), &violations);
  CheckOrder(request.authority(), request.reason(), root, &violations);
  reader.ProofOf(request, root, &input.change.command.proof, &input.change.evidence);
  if (!violations.empty()) return violations.ToStatus();
  input.hold_id = base::ParseId<base::HoldId>(request.hold_id());
  input.authority = request.authority();
  input.reason = request.reason();
  input.etag = request.etag();
  input.change.request_id = request.request_id();
  input.change.digest = RequestDigest(request);
  return input;
}

absl::StatusOr<ReviewHoldInput> ReadReviewHold(const v1::ReviewHoldRequest& request, const base::IdHasher& hasher,
                                               base::Instant now) {
  Violations violations;
  const Path root;
  ReviewHoldInput input;
  ChangeReader reader(hasher, &violations, &input.change.names);
  RefuseMistyped(request, root, &violations);
  CheckId(request.hold_id(), Path(root, "hold_id"), &violations);
  CheckText(request.request_id(), 0, kMaxRequestIdBytes, Path(root, "request_id"), &violations);
  CheckText(request.reason(), 1, kMaxReasonBytes, Path(root, "reason"), &violations);
  input.review_at = ReadReview(request.review_at(), now, Path(root, "review_at"), &violations);
  reader.ProofOf(request, root, &input.change.command.proof, &input.change.evidence);
  if (!violations.empty()) return violations.ToStatus();
  input.hold_id = base::ParseId<base::HoldId>(request.hold_id());
  input.reason = request.reason();
  input.change.request_id = request.request_id();
  input.change.digest = RequestDigest(request);
  return input;
}

absl::StatusOr<HoldsQuery> ReadListHolds(const v1::ListHoldsRequest& request, const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  HoldsQuery query;
  RefuseMistyped(request, root, &violations);
  query.has_subject = !request.account_id().empty();
  if (query.has_subject) {
    CheckId(request.account_id(), Path(root, "account_id"), &violations);
    query.subject = hasher.Subject(request.account_id());
  }
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  query.include_released = request.include_released();
  query.past_review = request.past_review();
  query.page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  query.page_token = request.page_token();
  return violations.empty() ? absl::StatusOr<HoldsQuery>(std::move(query)) : violations.ToStatus();
}

}  // namespace consent::wire
