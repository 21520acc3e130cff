// The calls about reviews over gRPC.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "consent/reviews.h"
#include "consent/v1/review_service.grpc.pb.h"

namespace consent {

class GrpcClient;

class GrpcReviews final : public Reviews {
 public:
  // `client` owns it.
  GrpcReviews(GrpcClient& client, const std::shared_ptr<grpc::Channel>& channel);

  absl::StatusOr<std::vector<LeaseResult>> Lease(const ReviewOrder& order, const CallOptions& options) override;
  MediaPass Open(const GrantName& grant, const std::string& audience, const CallOptions& options) override;
  absl::Status Submit(const GrantName& grant, const Submission& submission, const CallOptions& options) override;
  absl::Status End(const GrantName& grant, ReviewOutcome outcome, const CallOptions& options) override;
  absl::StatusOr<std::optional<Time>> Renew(const GrantName& grant, const CallOptions& options) override;
  absl::StatusOr<RedeemedMedia> Redeem(const std::string& system, const std::string& token,
                                       const CallOptions& options) override;
  absl::StatusOr<std::optional<Time>> Revoke(const RevokeOrder& order, const CallOptions& options) override;
  absl::StatusOr<GrantPage> ListGrants(const GrantQuery& query, const CallOptions& options) override;
  absl::StatusOr<HeardList> ListHeard(const AccountId& account, const CallOptions& options) override;
  absl::Status ReportPopulation(const std::string& hour, const std::vector<PopulationCount>& counts,
                                const CallOptions& options) override;
  absl::StatusOr<std::vector<HeardRate>> ListRates(const std::string& month, const CallOptions& options) override;
  absl::StatusOr<MediaKey> GetMediaKey(const CallOptions& options) override;

 private:
  GrpcClient& client_;
  const std::unique_ptr<v1::ReviewService::Stub> stub_;
};

}  // namespace consent
