// The Client over gRPC. The only files of the client that include grpcpp are this class's and error_details.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "client/src/credentials.h"
#include "client/src/error_details.h"
#include "client/src/retry.h"
#include "consent/client.h"
#include "consent/reviews.h"
#include "consent/v1/approval_service.grpc.pb.h"
#include "consent/v1/backup_service.grpc.pb.h"
#include "consent/v1/decision_service.grpc.pb.h"
#include "consent/v1/deletion_service.grpc.pb.h"
#include "consent/v1/eligibility_service.grpc.pb.h"
#include "consent/v1/hold_service.grpc.pb.h"
#include "consent/v1/key_service.grpc.pb.h"
#include "consent/v1/policy_service.grpc.pb.h"
#include "consent/v1/purge_service.grpc.pb.h"
#include "consent/v1/recording_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "consent/v1/status_service.grpc.pb.h"
#include "consent/v1/subject_service.grpc.pb.h"

namespace consent {

class GrpcClient final : public Client {
 public:
  // `options` are validated and complete.
  GrpcClient(ClientOptions options, CredentialFiles files, std::shared_ptr<grpc::Channel> channel);

  Answer Check(const Recording& recording, const Question& question, const CallOptions& options) override;
  absl::StatusOr<BatchAnswers> BatchCheck(const std::vector<Recording>& recordings, const Question& question,
                                          const CallOptions& options) override;
  absl::StatusOr<SubjectUpdated> UpsertSubject(const SubjectUpdate& update, const CallOptions& options) override;
  absl::StatusOr<Subject> GetSubject(const AccountId& account, const CallOptions& options) override;
  absl::StatusOr<ChildNoticeRecorded> RecordChildNotice(const ChildNotice& notice, const CallOptions& options) override;
  absl::StatusOr<SubjectsJoined> JoinSubjects(const JoinOrder& order, const CallOptions& options) override;
  absl::StatusOr<ChildrenPage> ListChildrenDue(const ChildrenQuery& query, const CallOptions& options) override;
  absl::StatusOr<CurrentSettings> GetSettings(const AccountId& account, const CallOptions& options) override;
  absl::StatusOr<SettingsUpdated> UpdateSettings(const SettingsUpdate& update, const CallOptions& options) override;
  absl::StatusOr<OptedOut> OptOut(const OptOutOrder& order, const CallOptions& options) override;
  absl::StatusOr<HistoryPage> ListSettingsHistory(const AccountId& account, int page_size,
                                                  const std::string& page_token, const CallOptions& options) override;
  absl::StatusOr<ChoicesPage> ListChoices(const ChoicesQuery& query, const CallOptions& options) override;
  absl::StatusOr<PastSettings> GetSettingsAt(const AccountId& account, Time at, const CallOptions& options) override;
  absl::StatusOr<RecordingReported> ReportRecording(const RecordingReport& report, const CallOptions& options) override;
  absl::StatusOr<SafetyFlagPage> ListSafetyFlags(const SafetyFlagQuery& query, const CallOptions& options) override;
  absl::StatusOr<Etag> AcknowledgeSafetyFlag(const AcknowledgeFlagOrder& order, const CallOptions& options) override;
  absl::StatusOr<Etag> HandleSafetyFlag(const HandleFlagOrder& order, const CallOptions& options) override;
  absl::StatusOr<StoredPolicy> GetPolicy(const std::string& version, const CallOptions& options) override;
  absl::StatusOr<Suspension> Suspend(const SuspendOrder& order, const CallOptions& options) override;
  absl::StatusOr<Resumed> Resume(const ResumeOrder& order, const CallOptions& options) override;
  absl::StatusOr<ClockState> GetClock(const CallOptions& options) override;
  absl::StatusOr<ClockState> ConfirmClock(Time time, const CallOptions& options) override;
  absl::StatusOr<PolicyActivated> ActivatePolicy(const PolicyActivation& order, const CallOptions& options) override;
  absl::StatusOr<PolicyDiff> DiffPolicy(const std::string& policy_json, int count_seconds,
                                        const CallOptions& options) override;
  absl::StatusOr<PolicyVersionPage> ListPolicies(int page_size, const std::string& page_token,
                                                 const CallOptions& options) override;

  // In grpc_deletion.cc.
  absl::StatusOr<DeletionCreated> CreateDeletionRequest(const NewDeletionRequest& order,
                                                        const CallOptions& options) override;
  absl::StatusOr<DeletionRequest> VerifyDeletionRequest(const VerifyOrder& order, const CallOptions& options) override;
  absl::StatusOr<DeletionRequest> DenyDeletionRequest(const DenyOrder& order, const CallOptions& options) override;
  absl::StatusOr<DeletionRequest> ExtendDeletionRequest(const ExtendOrder& order, const CallOptions& options) override;
  absl::StatusOr<ReceiptConfirmed> ConfirmReceipt(const ConfirmReceiptOrder& order,
                                                  const CallOptions& options) override;
  absl::StatusOr<AppealTaken> ReceiveAppeal(const ReceiveAppealOrder& order, const CallOptions& options) override;
  absl::StatusOr<AppealTaken> AcknowledgeAppeal(const AcknowledgeAppealOrder& order,
                                                const CallOptions& options) override;
  absl::StatusOr<AppealTaken> AnswerAppeal(const AnswerAppealOrder& order, const CallOptions& options) override;
  absl::StatusOr<DeletionRequest> CancelDeletionRequest(const CancelOrder& order, const CallOptions& options) override;
  absl::StatusOr<DeletionRequest> GetDeletionRequest(const DeletionId& deletion, const CallOptions& options) override;
  absl::StatusOr<DeletionPage> ListDeletionRequests(const DeletionQuery& query, const CallOptions& options) override;
  absl::StatusOr<DataSystem> RegisterDataSystem(const DataSystem& system, const CallOptions& options) override;
  absl::StatusOr<DataSystem> RetireDataSystem(const std::string& name, const std::string& reason,
                                              const CallOptions& options) override;
  absl::StatusOr<std::vector<DataSystem>> ListDataSystems(const CallOptions& options) override;
  absl::StatusOr<DataSystem> SetSystemRetention(const std::string& system, const SystemRetention& retention,
                                                const CallOptions& options) override;
  absl::StatusOr<DataSystem> ReportSweep(const std::string& system, const Sweep& sweep,
                                         const CallOptions& options) override;
  absl::StatusOr<LeasedTasks> LeaseTasks(const LeaseOrder& order, const CallOptions& options) override;
  absl::StatusOr<std::vector<TaskAnswer>> CompleteTasks(const std::string& system,
                                                        const std::vector<TaskResult>& results,
                                                        const CallOptions& options) override;
  absl::StatusOr<std::vector<TaskAnswer>> FailTasks(const std::string& system, const std::vector<TaskFailure>& failures,
                                                    const CallOptions& options) override;
  absl::StatusOr<std::vector<TaskRenewal>> RenewTasks(const std::string& system, const std::vector<TaskLease>& leases,
                                                      std::chrono::seconds visibility,
                                                      const CallOptions& options) override;
  absl::StatusOr<TaskPage> ListTasks(const TaskQuery& query, const CallOptions& options) override;
  absl::StatusOr<RetryPage> RetryTasks(const RetryOrder& order, const CallOptions& options) override;

  // In grpc_hold.cc.
  absl::StatusOr<HoldPlaced> PlaceHold(const PlaceHoldOrder& order, const CallOptions& options) override;
  absl::StatusOr<HoldReleased> ReleaseHold(const ReleaseHoldOrder& order, const CallOptions& options) override;
  absl::StatusOr<Hold> ReviewHold(const ReviewHoldOrder& order, const CallOptions& options) override;
  absl::StatusOr<HoldPage> ListHolds(const HoldQuery& query, const CallOptions& options) override;

  // In grpc_approval.cc.
  absl::StatusOr<ProposalPage> ListProposals(const ProposalQuery& query, const CallOptions& options) override;
  absl::StatusOr<ProposalDetails> GetProposal(const ProposalId& proposal, const CallOptions& options) override;
  absl::StatusOr<Proposal> ApproveProposal(const ProposalId& proposal, const CallOptions& options) override;
  absl::StatusOr<Proposal> WithdrawProposal(const ProposalId& proposal, const CallOptions& options) override;

  // In grpc_backup.cc.
  absl::StatusOr<BackupId> BeginBackup(const CallOptions& options) override;
  absl::StatusOr<BackupPiece> ReadBackup(const BackupId& backup, const std::string& file, int64_t offset,
                                         const CallOptions& options) override;
  absl::Status EndBackup(const BackupId& backup, bool taken, const CallOptions& options) override;

  // In grpc_decisions.cc.
  absl::StatusOr<DecisionLogState> GetDecisionLog(const CallOptions& options) override;
  absl::StatusOr<std::vector<DecisionVerdict>> VerifyDecisions(const DecisionRecord& record,
                                                               const CallOptions& options) override;
  absl::Status ReportVerification(const VerificationReport& report, const CallOptions& options) override;
  absl::StatusOr<Explanation> ExplainCheck(const Recording& recording, const ExplainQuestion& question,
                                           const CallOptions& options) override;
  absl::StatusOr<ExplainedDecision> ExplainDecision(const AccountId& account, const DecisionRecord& record,
                                                    const CallOptions& options) override;
  absl::StatusOr<DecisionHandles> GetDecisionHandles(const HandleQuery& query, const CallOptions& options) override;

  // In grpc_keys.cc.
  absl::StatusOr<KeyState> GetKeys(const CallOptions& options) override;
  absl::StatusOr<KeyState> RewrapShares(const CallOptions& options) override;

  // In grpc_status.cc.
  absl::StatusOr<DaemonStatus> GetStatus(const CallOptions& options) override;

  Reviews& reviews() override { return *reviews_; }

 private:
  friend class GrpcReviews;

  // Runs one unary method with deadline and repetitions. *sent, where wanted, is when the answered attempt left.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(const CallOptions& options, bool repeatable, Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response, std::chrono::nanoseconds* sent = nullptr);
  void AddTrace(const CallOptions& options, grpc::ClientContext* context) const;
  // `status` as it is, or, where the daemon was not reached and the client's own files say why, with that.
  absl::Status Explain(absl::Status status) const;
  // One step of a deletion request; in grpc_deletion.cc.
  template <typename Request, typename Response, typename Order>
  absl::StatusOr<DeletionRequest> Step(const CallOptions& options, const Order& order,
                                       grpc::Status (v1::DeletionService::Stub::*method)(grpc::ClientContext*,
                                                                                         const Request&, Response*));
  // One step of an appeal, likewise.
  template <typename Request, typename Response, typename Order>
  absl::StatusOr<AppealTaken> AppealStep(const CallOptions& options, const Order& order,
                                         grpc::Status (v1::DeletionService::Stub::*method)(grpc::ClientContext*,
                                                                                           const Request&, Response*));
  RequestId NewRequestId();
  // A copy with a request_id of its own where there was none.
  template <typename Order>
  Order WithRequestId(const Order& order) {
    Order copy = order;
    if (copy.request_id.empty()) copy.request_id = NewRequestId();
    return copy;
  }

  const ClientOptions options_;
  const CredentialFiles files_;
  std::unique_ptr<v1::ApprovalService::Stub> approval_;
  std::unique_ptr<v1::BackupService::Stub> backup_;
  std::unique_ptr<v1::DecisionService::Stub> decision_;
  std::unique_ptr<v1::DeletionService::Stub> deletion_;
  std::unique_ptr<v1::EligibilityService::Stub> eligibility_;
  std::unique_ptr<v1::HoldService::Stub> hold_;
  std::unique_ptr<v1::KeyService::Stub> keys_;
  std::unique_ptr<v1::PolicyService::Stub> policy_;
  std::unique_ptr<v1::PurgeService::Stub> purge_;
  std::unique_ptr<v1::RecordingService::Stub> recording_;
  std::unique_ptr<v1::SettingsService::Stub> settings_;
  std::unique_ptr<v1::StatusService::Stub> status_;
  std::unique_ptr<v1::SubjectService::Stub> subject_;
  std::unique_ptr<v1::DataSystemService::Stub> systems_;
  std::unique_ptr<Reviews> reviews_;
};

template <typename Stub, typename Request, typename Response>
absl::Status GrpcClient::Call(const CallOptions& options, bool repeatable, Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                              const Request& request, Response* response, std::chrono::nanoseconds* sent) {
  const std::chrono::milliseconds deadline = options.deadline.value_or(options_.deadline);
  if (deadline < std::chrono::milliseconds(1) || deadline > std::chrono::hours(1)) {
    return absl::InvalidArgumentError("the deadline must be from 1 ms to 1 hour");
  }
  return Explain(CallWithRetries(options_.retry, repeatable, deadline, *options_.clock, *options_.random,
                                 [&](std::chrono::nanoseconds timeout) {
                                   grpc::ClientContext context;
                                   AddTrace(options, &context);
                                   context.set_deadline(std::chrono::system_clock::now() +
                                                        std::chrono::duration_cast<std::chrono::microseconds>(timeout));
                                   response->Clear();
                                   if (sent != nullptr) *sent = options_.clock->SinceBoot();
                                   return FromGrpc((stub.*method)(&context, request, response));
                                 }));
}

}  // namespace consent
