// A gRPC server in this process that answers as a test wants, right or wrong.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "consent/client.h"
#include "consent/v1/decision_service.grpc.pb.h"
#include "consent/v1/deletion_service.grpc.pb.h"
#include "consent/v1/eligibility_service.grpc.pb.h"
#include "consent/v1/hold_service.grpc.pb.h"
#include "consent/v1/policy_service.grpc.pb.h"
#include "consent/v1/purge_service.grpc.pb.h"
#include "consent/v1/recording_service.grpc.pb.h"
#include "consent/v1/review_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "consent/v1/status_service.grpc.pb.h"
#include "consent/v1/subject_service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/unit/client/fakes.h"

namespace consent::testing {

// A gRPC status that carries an ErrorInfo and, with a field, a BadRequest.
inline grpc::Status RpcError(grpc::StatusCode code, const std::string& reason, const std::string& field = "") {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("consent.v1");
  (*info.mutable_metadata())["limit"] = "64";
  google::rpc::Status status;
  status.set_code(code);
  status.add_details()->PackFrom(info);
  if (!field.empty()) {
    google::rpc::BadRequest bad;
    bad.add_field_violations()->set_field(field);
    status.add_details()->PackFrom(bad);
  }
  return {code, "refused", status.SerializeAsString()};
}

// Handlers are set before the first call; a method without one is UNIMPLEMENTED.
class FakeDaemon final : public v1::EligibilityService::Service,
                         public v1::SettingsService::Service,
                         public v1::SubjectService::Service,
                         public v1::RecordingService::Service,
                         public v1::PolicyService::Service,
                         public v1::DeletionService::Service,
                         public v1::PurgeService::Service,
                         public v1::DataSystemService::Service,
                         public v1::HoldService::Service,
                         public v1::DecisionService::Service,
                         public v1::ReviewService::Service,
                         public v1::StatusService::Service {
 public:
  template <typename Request, typename Response>
  using Handler = std::function<grpc::Status(grpc::ServerContext&, const Request&, Response*)>;

  // Listens on two loopback ports of the system's choice.
  explicit FakeDaemon(const std::shared_ptr<grpc::ServerCredentials>& credentials = grpc::InsecureServerCredentials()) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.AddListeningPort(std::string(kOtherHost) + ":0", credentials, &other_port_);
    builder.RegisterService(static_cast<v1::EligibilityService::Service*>(this));
    builder.RegisterService(static_cast<v1::SettingsService::Service*>(this));
    builder.RegisterService(static_cast<v1::SubjectService::Service*>(this));
    builder.RegisterService(static_cast<v1::RecordingService::Service*>(this));
    builder.RegisterService(static_cast<v1::PolicyService::Service*>(this));
    builder.RegisterService(static_cast<v1::DeletionService::Service*>(this));
    builder.RegisterService(static_cast<v1::PurgeService::Service*>(this));
    builder.RegisterService(static_cast<v1::DataSystemService::Service*>(this));
    builder.RegisterService(static_cast<v1::HoldService::Service*>(this));
    builder.RegisterService(static_cast<v1::DecisionService::Service*>(this));
    builder.RegisterService(static_cast<v1::ReviewService::Service*>(this));
    builder.RegisterService(static_cast<v1::StatusService::Service*>(this));
    server_ = builder.BuildAndStart();
  }
  ~FakeDaemon() override { Stop(); }
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;

  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }
  // An address at which it is, too, and which its certificates do not name.
  static constexpr const char* kOtherHost = "127.0.0.2";
  std::string endpoint(const std::string& host = "127.0.0.1") const {
    return host + ":" + std::to_string(host == kOtherHost ? other_port_ : port_);
  }

  std::unique_ptr<Client> Connect(std::shared_ptr<Clock> clock,
                                  std::chrono::milliseconds deadline = std::chrono::milliseconds(30'000)) const {
    ClientOptions options;
    options.endpoint = endpoint();
    options.deadline = deadline;
    options.clock = std::move(clock);
    options.random = std::make_shared<FakeRandom>();
    return *Client::Create(std::move(options));
  }

  Handler<v1::CheckRequest, v1::CheckResponse> on_check;
  Handler<v1::BatchCheckRequest, v1::BatchCheckResponse> on_batch;
  Handler<v1::UpdateSettingsRequest, v1::UpdateSettingsResponse> on_update;
  Handler<v1::OptOutRequest, v1::OptOutResponse> on_opt_out;
  Handler<v1::GetSettingsRequest, v1::GetSettingsResponse> on_get_settings;
  Handler<v1::ListSettingsHistoryRequest, v1::ListSettingsHistoryResponse> on_history;
  Handler<v1::UpsertSubjectRequest, v1::UpsertSubjectResponse> on_upsert;
  Handler<v1::GetSubjectRequest, v1::GetSubjectResponse> on_get_subject;
  Handler<v1::ReportRecordingRequest, v1::ReportRecordingResponse> on_report;
  Handler<v1::SuspendRequest, v1::SuspendResponse> on_suspend;
  Handler<v1::ResumeRequest, v1::ResumeResponse> on_resume;
  Handler<v1::CreateDeletionRequestRequest, v1::CreateDeletionRequestResponse> on_create;
  Handler<v1::CancelDeletionRequestRequest, v1::CancelDeletionRequestResponse> on_cancel;
  Handler<v1::GetDeletionRequestRequest, v1::GetDeletionRequestResponse> on_get_deletion;
  Handler<v1::ListDeletionRequestsRequest, v1::ListDeletionRequestsResponse> on_list_deletions;
  Handler<v1::RegisterDataSystemRequest, v1::RegisterDataSystemResponse> on_register;
  Handler<v1::RetireDataSystemRequest, v1::RetireDataSystemResponse> on_retire;
  Handler<v1::LeaseTasksRequest, v1::LeaseTasksResponse> on_lease;
  Handler<v1::CompleteTasksRequest, v1::CompleteTasksResponse> on_complete;
  Handler<v1::FailTasksRequest, v1::FailTasksResponse> on_fail;
  Handler<v1::RenewTasksRequest, v1::RenewTasksResponse> on_renew;
  Handler<v1::ListTasksRequest, v1::ListTasksResponse> on_list_tasks;
  Handler<v1::RetryTasksRequest, v1::RetryTasksResponse> on_retry_tasks;
  Handler<v1::PlaceHoldRequest, v1::PlaceHoldResponse> on_place_hold;
  Handler<v1::ReleaseHoldRequest, v1::ReleaseHoldResponse> on_release_hold;
  Handler<v1::ListHoldsRequest, v1::ListHoldsResponse> on_list_holds;
  Handler<v1::ReviewHoldRequest, v1::ReviewHoldResponse> on_review_hold;
  Handler<v1::ListHeardRequest, v1::ListHeardResponse> on_list_heard;
  Handler<v1::ListSafetyFlagsRequest, v1::ListSafetyFlagsResponse> on_list_flags;
  Handler<v1::AcknowledgeSafetyFlagRequest, v1::AcknowledgeSafetyFlagResponse> on_acknowledge_flag;
  Handler<v1::HandleSafetyFlagRequest, v1::HandleSafetyFlagResponse> on_handle_flag;
  Handler<v1::GetDecisionHandlesRequest, v1::GetDecisionHandlesResponse> on_handles;
  Handler<v1::GetStatusRequest, v1::GetStatusResponse> on_status;

 private:
  template <typename Request, typename Response>
  static grpc::Status Run(const Handler<Request, Response>& handler, grpc::ServerContext* context,
                          const Request* request, Response* response) {
    return handler ? handler(*context, *request, response) : grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  }
  grpc::Status GetDecisionHandles(grpc::ServerContext* c, const v1::GetDecisionHandlesRequest* q,
                                  v1::GetDecisionHandlesResponse* r) override {
    return Run(on_handles, c, q, r);
  }
  grpc::Status GetStatus(grpc::ServerContext* c, const v1::GetStatusRequest* q, v1::GetStatusResponse* r) override {
    return Run(on_status, c, q, r);
  }
  grpc::Status Check(grpc::ServerContext* c, const v1::CheckRequest* q, v1::CheckResponse* r) override {
    return Run(on_check, c, q, r);
  }
  grpc::Status BatchCheck(grpc::ServerContext* c, const v1::BatchCheckRequest* q, v1::BatchCheckResponse* r) override {
    return Run(on_batch, c, q, r);
  }
  grpc::Status UpdateSettings(grpc::ServerContext* c, const v1::UpdateSettingsRequest* q,
                              v1::UpdateSettingsResponse* r) override {
    return Run(on_update, c, q, r);
  }
  grpc::Status OptOut(grpc::ServerContext* c, const v1::OptOutRequest* q, v1::OptOutResponse* r) override {
    return Run(on_opt_out, c, q, r);
  }
  grpc::Status GetSettings(grpc::ServerContext* c, const v1::GetSettingsRequest* q,
                           v1::GetSettingsResponse* r) override {
    return Run(on_get_settings, c, q, r);
  }
  grpc::Status ListSettingsHistory(grpc::ServerContext* c, const v1::ListSettingsHistoryRequest* q,
                                   v1::ListSettingsHistoryResponse* r) override {
    return Run(on_history, c, q, r);
  }
  grpc::Status GetSubject(grpc::ServerContext* c, const v1::GetSubjectRequest* q, v1::GetSubjectResponse* r) override {
    return Run(on_get_subject, c, q, r);
  }
  grpc::Status UpsertSubject(grpc::ServerContext* c, const v1::UpsertSubjectRequest* q,
                             v1::UpsertSubjectResponse* r) override {
    return Run(on_upsert, c, q, r);
  }
  grpc::Status ReportRecording(grpc::ServerContext* c, const v1::ReportRecordingRequest* q,
                               v1::ReportRecordingResponse* r) override {
    return Run(on_report, c, q, r);
  }
  grpc::Status Suspend(grpc::ServerContext* c, const v1::SuspendRequest* q, v1::SuspendResponse* r) override {
    return Run(on_suspend, c, q, r);
  }
  grpc::Status Resume(grpc::ServerContext* c, const v1::ResumeRequest* q, v1::ResumeResponse* r) override {
    return Run(on_resume, c, q, r);
  }
  grpc::Status CreateDeletionRequest(grpc::ServerContext* c, const v1::CreateDeletionRequestRequest* q,
                                     v1::CreateDeletionRequestResponse* r) override {
    return Run(on_create, c, q, r);
  }
  grpc::Status CancelDeletionRequest(grpc::ServerContext* c, const v1::CancelDeletionRequestRequest* q,
                                     v1::CancelDeletionRequestResponse* r) override {
    return Run(on_cancel, c, q, r);
  }
  grpc::Status GetDeletionRequest(grpc::ServerContext* c, const v1::GetDeletionRequestRequest* q,
                                  v1::GetDeletionRequestResponse* r) override {
    return Run(on_get_deletion, c, q, r);
  }
  grpc::Status ListDeletionRequests(grpc::ServerContext* c, const v1::ListDeletionRequestsRequest* q,
                                    v1::ListDeletionRequestsResponse* r) override {
    return Run(on_list_deletions, c, q, r);
  }
  grpc::Status RegisterDataSystem(grpc::ServerContext* c, const v1::RegisterDataSystemRequest* q,
                                  v1::RegisterDataSystemResponse* r) override {
    return Run(on_register, c, q, r);
  }
  grpc::Status RetireDataSystem(grpc::ServerContext* c, const v1::RetireDataSystemRequest* q,
                                v1::RetireDataSystemResponse* r) override {
    return Run(on_retire, c, q, r);
  }
  grpc::Status LeaseTasks(grpc::ServerContext* c, const v1::LeaseTasksRequest* q, v1::LeaseTasksResponse* r) override {
    return Run(on_lease, c, q, r);
  }
  grpc::Status CompleteTasks(grpc::ServerContext* c, const v1::CompleteTasksRequest* q,
                             v1::CompleteTasksResponse* r) override {
    return Run(on_complete, c, q, r);
  }
  grpc::Status FailTasks(grpc::ServerContext* c, const v1::FailTasksRequest* q, v1::FailTasksResponse* r) override {
    return Run(on_fail, c, q, r);
  }
  grpc::Status RenewTasks(grpc::ServerContext* c, const v1::RenewTasksRequest* q, v1::RenewTasksResponse* r) override {
    return Run(on_renew, c, q, r);
  }
  grpc::Status ListTasks(grpc::ServerContext* c, const v1::ListTasksRequest* q, v1::ListTasksResponse* r) override {
    return Run(on_list_tasks, c, q, r);
  }
  grpc::Status RetryTasks(grpc::ServerContext* c, const v1::RetryTasksRequest* q, v1::RetryTasksResponse* r) override {
    return Run(on_retry_tasks, c, q, r);
  }
  grpc::Status PlaceHold(grpc::ServerContext* c, const v1::PlaceHoldRequest* q, v1::PlaceHoldResponse* r) override {
    return Run(on_place_hold, c, q, r);
  }
  grpc::Status ReleaseHold(grpc::ServerContext* c, const v1::ReleaseHoldRequest* q,
                           v1::ReleaseHoldResponse* r) override {
    return Run(on_release_hold, c, q, r);
  }
  grpc::Status ReviewHold(grpc::ServerContext* c, const v1::ReviewHoldRequest* q, v1::ReviewHoldResponse* r) override {
    return Run(on_review_hold, c, q, r);
  }
  grpc::Status ListSafetyFlags(grpc::ServerContext* c, const v1::ListSafetyFlagsRequest* q,
                               v1::ListSafetyFlagsResponse* r) override {
    return Run(on_list_flags, c, q, r);
  }
  grpc::Status AcknowledgeSafetyFlag(grpc::ServerContext* c, const v1::AcknowledgeSafetyFlagRequest* q,
                                     v1::AcknowledgeSafetyFlagResponse* r) override {
    return Run(on_acknowledge_flag, c, q, r);
  }
  grpc::Status HandleSafetyFlag(grpc::ServerContext* c, const v1::HandleSafetyFlagRequest* q,
                                v1::HandleSafetyFlagResponse* r) override {
    return Run(on_handle_flag, c, q, r);
  }
  grpc::Status ListHeard(grpc::ServerContext* c, const v1::ListHeardRequest* q, v1::ListHeardResponse* r) override {
    return Run(on_list_heard, c, q, r);
  }
  grpc::Status ListHolds(grpc::ServerContext* c, const v1::ListHoldsRequest* q, v1::ListHoldsResponse* r) override {
    return Run(on_list_holds, c, q, r);
  }

  int port_ = 0;
  int other_port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// A decision as a sound daemon gives it: eligible by consent, good for a minute.
inline void FillYes(v1::Decision* decision) {
  decision->set_eligibility(v1::ELIGIBILITY_ELIGIBLE);
  decision->set_disposition(v1::DISPOSITION_KEEP);
  decision->add_reasons(v1::REASON_CONSENT);
  decision->set_good_until_us(1'700'000'060'000'000);
}
template <typename Response>
void FillTimes(Response* response) {
  response->set_policy_version("test-1");
  response->mutable_checked_at()->set_seconds(1'700'000'000);
}

}  // namespace consent::testing
