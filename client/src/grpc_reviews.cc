#include "client/src/grpc_reviews.h"

#include <algorithm>
#include <utility>

#include "client/src/convert.h"
#include "client/src/error_details.h"
#include "client/src/grpc_client.h"
#include "consent/names.h"

namespace consent {
namespace {

template <typename Request>
Request RequestFor(const GrantName& grant) {
  Request request;
  request.set_grant_id(grant.grant_id);
  request.set_fence(grant.fence);
  return request;
}

ReviewGrant FromProto(const v1::ReviewGrant& grant) {
  ReviewGrant value;
  value.name = {grant.grant_id(), grant.fence()};
  value.pseudonym = grant.pseudonym();
  value.media_handle = grant.media_handle();
  if (grant.has_expires_at()) value.expires_at = consent::FromProto(grant.expires_at());
  return value;
}

LeaseResult FromProto(const v1::LeaseReviewsResult& result) {
  LeaseResult value;
  switch (result.result_case()) {
    case v1::LeaseReviewsResult::kGrant:
      // What cannot be named in a further call is no grant.
      if (!result.grant().grant_id().empty() && result.grant().fence() != 0) {
        value.grant = FromProto(result.grant());
      } else {
        value.error = absl::InternalError("the daemon gave a grant without a name");
      }
      break;
    case v1::LeaseReviewsResult::kRefusal:
      value.refusal = FromNumber<GrantRefusal>(result.refusal().refusal());
      for (const int reason : result.refusal().reasons()) value.reasons.push_back(FromNumber<Reason>(reason));
      break;
    case v1::LeaseReviewsResult::kError:
      value.error = ItemStatus(result.error().reason(), result.error().message());
      break;
    case v1::LeaseReviewsResult::RESULT_NOT_SET:
      value.error = absl::InternalError("the daemon left this recording without an answer");
      break;
  }
  return value;
}

GrantShown FromProto(const v1::GrantView& view) {
  GrantShown shown;
  shown.grant_id = view.grant_id();
  shown.pseudonym = view.pseudonym();
  shown.state = FromNumber<GrantState>(view.state());
  shown.purpose = FromNumber<Purpose>(view.purpose());
  shown.place = {view.place().country(), view.place().site(), FromNumber<ReviewerClass>(view.place().reviewer_class())};
  shown.reviewer = view.reviewer();
  shown.selection = FromNumber<Selection>(view.selection());
  if (view.has_given_at()) shown.given_at = consent::FromProto(view.given_at());
  if (view.has_expires_at()) shown.expires_at = consent::FromProto(view.expires_at());
  shown.opens = view.opens();
  shown.redeems = view.redeems();
  shown.offline_opens = view.offline_opens();
  shown.outcome = FromNumber<ReviewOutcome>(view.outcome());
  return shown;
}

Heard FromProto(const v1::HeardView& view) {
  Heard heard;
  if (view.has_heard_at()) heard.heard_at = consent::FromProto(view.heard_at());
  heard.purpose = FromNumber<Purpose>(view.purpose());
  heard.country = view.country();
  heard.reviewer = FromNumber<ReviewerClass>(view.reviewer_class());
  heard.outcome = FromNumber<ReviewOutcome>(view.outcome());
  return heard;
}

HeardRate FromProto(const v1::ReviewRateView& view) {
  HeardRate rate;
  rate.purpose = FromNumber<Purpose>(view.purpose());
  rate.country = view.country();
  rate.heard = view.heard();
  rate.utterances = view.utterances();
  rate.allowed_parts_per_million = view.allowed_parts_per_million();
  if (view.has_measured()) {
    rate.measured = {view.measured().parts_per_million(), view.measured().low(), view.measured().high()};
  }
  return rate;
}

// Nothing unless exactly one is set: of two the daemon would see the last alone.
absl::StatusOr<v1::RevokeReviewsRequest> RequestOf(const RevokeOrder& order) {
  v1::RevokeReviewsRequest request;
  int set = 0;
  if (!order.reviewer.empty()) {
    request.set_reviewer(order.reviewer);
    ++set;
  }
  if (!order.site.empty()) {
    request.set_site(order.site);
    ++set;
  }
  if (order.purpose != Purpose::kUnset) {
    request.set_purpose(NumberOf<v1::Purpose>(order.purpose));
    ++set;
  }
  if (order.all) {
    request.set_all(true);
    ++set;
  }
  if (set != 1) return absl::InvalidArgumentError("exactly one of reviewer, site, purpose and all must be set");
  request.set_reason(order.reason);
  return request;
}

}  // namespace

bool MediaPass::MayPlay() const { return error_.ok() && clock_ != nullptr && clock_->SinceBoot() < fresh_until_; }

std::string MediaPass::token() const { return MayPlay() ? token_ : std::string(); }

GrpcReviews::GrpcReviews(GrpcClient& client, const std::shared_ptr<grpc::Channel>& channel)
    : client_(client), stub_(v1::ReviewService::NewStub(channel)) {}

absl::StatusOr<std::vector<LeaseResult>> GrpcReviews::Lease(const ReviewOrder& order, const CallOptions& options) {
  if (order.recordings.empty() || order.recordings.size() > kMaxLeases) {
    return absl::InvalidArgumentError("a lease must have 1 to 10 recordings, this one has " +
                                      std::to_string(order.recordings.size()));
  }
  v1::LeaseReviewsRequest request;
  request.set_purpose(NumberOf<v1::Purpose>(order.purpose));
  ToProto(order.place, request.mutable_place());
  request.set_reviewer(order.reviewer);
  request.set_selection(NumberOf<v1::Selection>(order.selection));
  for (const Recording& recording : order.recordings) ToProto(recording, request.add_recordings());
  v1::LeaseReviewsResponse response;
  absl::Status status =
      client_.Call(options, false, *stub_, &v1::ReviewService::Stub::LeaseReviews, request, &response);
  if (!status.ok()) return status;
  if (static_cast<size_t>(response.results_size()) != order.recordings.size()) {
    // Which result belongs to which recording is then unknown: none may count.
    return absl::InternalError("the daemon answered " + std::to_string(response.results_size()) + " of " +
                               std::to_string(order.recordings.size()) + " recordings");
  }
  std::vector<LeaseResult> results;
  for (const v1::LeaseReviewsResult& result : response.results()) results.push_back(FromProto(result));
  return results;
}

MediaPass GrpcReviews::Open(const GrantName& grant, const std::string& audience, const CallOptions& options) {
  auto request = RequestFor<v1::OpenMediaRequest>(grant);
  request.set_audience(audience);
  v1::OpenMediaResponse response;
  std::chrono::nanoseconds sent{0};
  MediaPass pass;
  pass.error_ = client_.Call(options, false, *stub_, &v1::ReviewService::Stub::OpenMedia, request, &response, &sent);
  if (pass.error_.ok() && (response.media_token().empty() || response.life_seconds() <= 0)) {
    pass.error_ = absl::InternalError("the daemon's reply has no media token, or does not say how long it lives");
  }
  if (!pass.error_.ok()) return pass;
  pass.token_ = response.media_token();
  pass.clock_ = client_.options_.clock;
  pass.fresh_until_ = sent + std::min(std::chrono::seconds(response.life_seconds()), kMediaTokenLife);
  return pass;
}

absl::Status GrpcReviews::Submit(const GrantName& grant, const Submission& submission, const CallOptions& options) {
  auto request = RequestFor<v1::SubmitReviewRequest>(grant);
  request.set_digest(submission.digest.data(), submission.digest.size());
  for (const Flag flag : submission.flags) request.add_flags(NumberOf<v1::Flag>(flag));
  v1::SubmitReviewResponse response;
  return client_.Call(options, true, *stub_, &v1::ReviewService::Stub::SubmitReview, request, &response);
}

absl::Status GrpcReviews::End(const GrantName& grant, ReviewOutcome outcome, const CallOptions& options) {
  auto request = RequestFor<v1::EndReviewRequest>(grant);
  request.set_outcome(NumberOf<v1::ReviewOutcome>(outcome));
  v1::EndReviewResponse response;
  return client_.Call(options, true, *stub_, &v1::ReviewService::Stub::EndReview, request, &response);
}

absl::StatusOr<std::optional<Time>> GrpcReviews::Renew(const GrantName& grant, const CallOptions& options) {
  const auto request = RequestFor<v1::RenewReviewRequest>(grant);
  v1::RenewReviewResponse response;
  absl::Status status = client_.Call(options, false, *stub_, &v1::ReviewService::Stub::RenewReview, request, &response);
  if (!status.ok()) return status;
  return response.has_expires_at() ? consent::FromProto(response.expires_at()) : std::nullopt;
}

absl::StatusOr<RedeemedMedia> GrpcReviews::Redeem(const std::string& system, const std::string& token,
                                                  const CallOptions& options) {
  v1::RedeemMediaRequest request;
  request.set_system(system);
  request.set_media_token(token);
  v1::RedeemMediaResponse response;
  absl::Status status = client_.Call(options, false, *stub_, &v1::ReviewService::Stub::RedeemMedia, request, &response);
  if (!status.ok()) return status;
  RedeemedMedia media{AccountId(response.account_id()), RecordingId(response.recording_id()),
                      FromNumber<Artefact>(response.artefact()), response.site()};
  // Whoever took an artefact that is not known here for the recording itself would give out something else.
  if (media.recording_id.empty() || media.artefact == Artefact::kUnset) {
    return absl::InternalError("the daemon's reply does not say what to give out");
  }
  return media;
}

absl::StatusOr<std::optional<Time>> GrpcReviews::Revoke(const RevokeOrder& order, const CallOptions& options) {
  const absl::StatusOr<v1::RevokeReviewsRequest> request = RequestOf(order);
  if (!request.ok()) return request.status();
  v1::RevokeReviewsResponse response;
  absl::Status status =
      client_.Call(options, true, *stub_, &v1::ReviewService::Stub::RevokeReviews, *request, &response);
  if (!status.ok()) return status;
  return response.has_revoked_at() ? consent::FromProto(response.revoked_at()) : std::nullopt;
}

absl::StatusOr<GrantPage> GrpcReviews::ListGrants(const GrantQuery& query, const CallOptions& options) {
  v1::ListGrantsRequest request;
  request.set_state(NumberOf<v1::GrantState>(query.state));
  request.set_page_size(query.page_size);
  request.set_page_token(query.page_token);
  for (const std::string& id : query.grant_ids) request.add_grant_ids(id);
  v1::ListGrantsResponse response;
  absl::Status status = client_.Call(options, true, *stub_, &v1::ReviewService::Stub::ListGrants, request, &response);
  if (!status.ok()) return status;
  GrantPage page;
  for (const v1::GrantView& view : response.grants()) page.grants.push_back(FromProto(view));
  page.next_page_token = response.next_page_token();
  return page;
}

absl::StatusOr<HeardList> GrpcReviews::ListHeard(const AccountId& account, const CallOptions& options) {
  v1::ListHeardRequest request;
  request.set_account_id(account.value());
  v1::ListHeardResponse response;
  absl::Status status = client_.Call(options, true, *stub_, &v1::ReviewService::Stub::ListHeard, request, &response);
  if (!status.ok()) return status;
  HeardList list;
  for (const v1::HeardView& view : response.heard()) list.heard.push_back(FromProto(view));
  list.is_cut = response.is_cut();
  return list;
}

absl::Status GrpcReviews::ReportPopulation(const std::string& hour, const std::vector<PopulationCount>& counts,
                                           const CallOptions& options) {
  v1::ReportPopulationRequest request;
  request.set_hour(hour);
  for (const PopulationCount& count : counts) {
    v1::PopulationCount& item = *request.add_counts();
    item.set_country(count.country);
    item.set_utterances(count.utterances);
  }
  v1::ReportPopulationResponse response;
  return client_.Call(options, true, *stub_, &v1::ReviewService::Stub::ReportPopulation, request, &response);
}

absl::StatusOr<std::vector<HeardRate>> GrpcReviews::ListRates(const std::string& month, const CallOptions& options) {
  v1::ListReviewRatesRequest request;
  request.set_month(month);
  v1::ListReviewRatesResponse response;
  absl::Status status =
      client_.Call(options, true, *stub_, &v1::ReviewService::Stub::ListReviewRates, request, &response);
  if (!status.ok()) return status;
  std::vector<HeardRate> rates;
  for (const v1::ReviewRateView& view : response.rates()) rates.push_back(FromProto(view));
  return rates;
}

absl::StatusOr<MediaKey> GrpcReviews::GetMediaKey(const CallOptions& options) {
  v1::GetMediaKeyResponse response;
  absl::Status status =
      client_.Call(options, true, *stub_, &v1::ReviewService::Stub::GetMediaKey, v1::GetMediaKeyRequest(), &response);
  if (!status.ok()) return status;
  MediaKey key{};
  if (response.public_key().size() != key.size()) return absl::InternalError("the daemon's media key is no key");
  std::copy(response.public_key().begin(), response.public_key().end(), key.begin());
  return key;
}

}  // namespace consent
