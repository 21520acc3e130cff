// The Client over gRPC. The only files of the client that include grpcpp are this class's and error_details.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "consent/client.h"
#include "consent/v1/eligibility_service.grpc.pb.h"
#include "consent/v1/policy_service.grpc.pb.h"
#include "consent/v1/recording_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "consent/v1/subject_service.grpc.pb.h"

namespace consent {

class GrpcClient final : public Client {
 public:
  // `options` are validated and complete.
  GrpcClient(ClientOptions options, std::shared_ptr<grpc::Channel> channel);

  Answer Check(const Recording& recording, const Question& question, const CallOptions& options) override;
  BatchAnswers BatchCheck(const std::vector<Recording>& recordings, const Question& question,
                          const CallOptions& options) override;
  absl::StatusOr<SubjectUpdated> UpsertSubject(const SubjectUpdate& update, const CallOptions& options) override;
  absl::StatusOr<Subject> GetSubject(const AccountId& account, const CallOptions& options) override;
  absl::StatusOr<CurrentSettings> GetSettings(const AccountId& account, const CallOptions& options) override;
  absl::StatusOr<SettingsUpdated> UpdateSettings(const SettingsUpdate& update, const CallOptions& options) override;
  absl::StatusOr<OptedOut> OptOut(const OptOutOrder& order, const CallOptions& options) override;
  absl::StatusOr<HistoryPage> ListSettingsHistory(const AccountId& account, int page_size, const std::string& page_token,
                                                  const CallOptions& options) override;
  absl::StatusOr<PastSettings> GetSettingsAt(const AccountId& account, Time at, const CallOptions& options) override;
  absl::StatusOr<RecordingReported> ReportRecording(const RecordingReport& report, const CallOptions& options) override;
  absl::StatusOr<StoredPolicy> GetPolicy(const std::string& version, const CallOptions& options) override;
  absl::StatusOr<Suspension> Suspend(const SuspendOrder& order, const CallOptions& options) override;
  absl::StatusOr<Suspension> Resume(const ResumeOrder& order, const CallOptions& options) override;

 private:
  // Runs one unary method with deadline and repetitions. *sent, where wanted, is when the answered attempt left.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(const CallOptions& options, bool repeatable, Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                    Response* response, std::chrono::nanoseconds* sent = nullptr);
  RequestId NewRequestId();
  // A copy with a request_id of its own where there was none.
  template <typename Order>
  Order WithRequestId(const Order& order) {
    Order copy = order;
    if (copy.request_id.empty()) copy.request_id = NewRequestId();
    return copy;
  }

  const ClientOptions options_;
  std::unique_ptr<v1::EligibilityService::Stub> eligibility_;
  std::unique_ptr<v1::PolicyService::Stub> policy_;
  std::unique_ptr<v1::RecordingService::Stub> recording_;
  std::unique_ptr<v1::SettingsService::Stub> settings_;
  std::unique_ptr<v1::SubjectService::Stub> subject_;
};

}  // namespace consent
