// ReviewService on gRPC.
#pragma once

#include <memory>
#include <vector>

#include "consent/v1/review_service.grpc.pb.h"
#include "daemon/decisions/recorder.h"
#include "daemon/rpc/raw_service.h"
#include "daemon/service/registry/known_review_rates.h"
#include "daemon/service/review/end_review.h"
#include "daemon/service/review/list_reviews.h"
#include "daemon/service/review/reviews.h"
#include "daemon/service/state/core.h"

namespace consent::rpc {

// A grant whose yes the policy wants on record is told once it is; one that cannot be recorded is taken back and
// answered NOT_RECORDED. Thread-safe; the references outlive the server.
class ReviewRpc final : public RawService<v1::ReviewService> {
 public:
  ReviewRpc(service::Core& core, service::Reviews& reviews, service::EndReview& end_review,
            const service::ListReviews& lists, const service::KnownReviewRates& counts, decisions::Recorder& recorder,
            const RpcDependencies& dependencies);

 private:
  using LeaseCall = CallPtr<v1::LeaseReviewsRequest, v1::LeaseReviewsResponse>;
  struct Leasing;
  void Lease(const LeaseCall& call);
  void LeaseAll(const std::shared_ptr<Leasing>& leasing);
  // One yes more is on record, or cannot be; the last one answers.
  void Conclude(const std::shared_ptr<Leasing>& leasing);
  void TakeBack(const Leasing& leasing) const;
  void Answer(const Leasing& leasing) const;
  void Open(const CallPtr<v1::OpenMediaRequest, v1::OpenMediaResponse>& call);
  void Redeem(const CallPtr<v1::RedeemMediaRequest, v1::RedeemMediaResponse>& call);
  void Submit(const CallPtr<v1::SubmitReviewRequest, v1::SubmitReviewResponse>& call);
  void End(const CallPtr<v1::EndReviewRequest, v1::EndReviewResponse>& call);
  void Renew(const CallPtr<v1::RenewReviewRequest, v1::RenewReviewResponse>& call);
  void Revoke(const CallPtr<v1::RevokeReviewsRequest, v1::RevokeReviewsResponse>& call);
  using GrantsCall = CallPtr<v1::ListGrantsRequest, v1::ListGrantsResponse>;
  void Grants(const GrantsCall& call);
  absl::Status ListNamed(const GrantsCall& call, const std::vector<base::GrantId>& covered);
  void Write(const service::GrantShown& shown, v1::GrantView* out) const;
  void Heard(const CallPtr<v1::ListHeardRequest, v1::ListHeardResponse>& call);
  void Report(const CallPtr<v1::ReportPopulationRequest, v1::ReportPopulationResponse>& call);
  void ListRates(const CallPtr<v1::ListReviewRatesRequest, v1::ListReviewRatesResponse>& call);
  void GetKey(const CallPtr<v1::GetMediaKeyRequest, v1::GetMediaKeyResponse>& call);

  service::Core& core_;
  service::Reviews& reviews_;
  service::EndReview& end_review_;
  const service::ListReviews& lists_;
  const service::KnownReviewRates& counts_;
  decisions::Recorder& recorder_;
};

}  // namespace consent::rpc
