// GrpcClient's calls for deletion: requests, data systems, tasks.
#include <algorithm>

#include "client/src/convert.h"
#include "client/src/grpc_client.h"
#include "consent/names.h"

namespace consent {
namespace {

// As many answers as reports, or none may count: which belongs to which would be unknown.
template <typename Response>
absl::StatusOr<std::vector<TaskAnswer>> Answers(const Response& response, size_t reports) {
  if (static_cast<size_t>(response.answers_size()) != reports) {
    return absl::InternalError("the daemon answered " + std::to_string(response.answers_size()) + " of " +
                               std::to_string(reports) + " reports");
  }
  std::vector<TaskAnswer> answers;
  for (const v1::TaskAnswer& answer : response.answers()) answers.push_back(FromProto(answer));
  return answers;
}

}  // namespace

absl::StatusOr<DeletionCreated> GrpcClient::CreateDeletionRequest(const NewDeletionRequest& order,
                                                                  const CallOptions& options) {
  v1::CreateDeletionRequestRequest request;
  ToProto(WithRequestId(order), &request);
  v1::CreateDeletionRequestResponse response;
  const absl::Status status =
      Call(options, true, *deletion_, &v1::DeletionService::Stub::CreateDeletionRequest, request, &response);
  if (!status.ok()) return status;
  return DeletionCreated{FromProto(response.request()), response.created(),  Etag(response.revision()),
                         response.account_closed(),     response.unusable(), response.subject_is_new()};
}

absl::StatusOr<DeletionRequest> GrpcClient::VerifyDeletionRequest(const VerifyOrder& order,
                                                                  const CallOptions& options) {
  return Step<v1::VerifyDeletionRequestRequest, v1::VerifyDeletionRequestResponse>(
      options, order, &v1::DeletionService::Stub::VerifyDeletionRequest);
}

absl::StatusOr<DeletionRequest> GrpcClient::DenyDeletionRequest(const DenyOrder& order, const CallOptions& options) {
  return Step<v1::DenyDeletionRequestRequest, v1::DenyDeletionRequestResponse>(
      options, order, &v1::DeletionService::Stub::DenyDeletionRequest);
}

absl::StatusOr<DeletionRequest> GrpcClient::ExtendDeletionRequest(const ExtendOrder& order,
                                                                  const CallOptions& options) {
  return Step<v1::ExtendDeletionRequestRequest, v1::ExtendDeletionRequestResponse>(
      options, order, &v1::DeletionService::Stub::ExtendDeletionRequest);
}

absl::StatusOr<ReceiptConfirmed> GrpcClient::ConfirmReceipt(const ConfirmReceiptOrder& order,
                                                            const CallOptions& options) {
  v1::ConfirmReceiptRequest request;
  StepToProto(WithRequestId(order), &request);
  v1::ConfirmReceiptResponse response;
  const absl::Status status =
      Call(options, true, *deletion_, &v1::DeletionService::Stub::ConfirmReceipt, request, &response);
  if (!status.ok()) return status;
  return ReceiptConfirmed{FromProto(response.request()), response.already()};
}

absl::StatusOr<AppealTaken> GrpcClient::ReceiveAppeal(const ReceiveAppealOrder& order, const CallOptions& options) {
  return AppealStep<v1::ReceiveAppealRequest, v1::ReceiveAppealResponse>(options, order,
                                                                         &v1::DeletionService::Stub::ReceiveAppeal);
}

absl::StatusOr<AppealTaken> GrpcClient::AcknowledgeAppeal(const AcknowledgeAppealOrder& order,
                                                          const CallOptions& options) {
  return AppealStep<v1::AcknowledgeAppealRequest, v1::AcknowledgeAppealResponse>(
      options, order, &v1::DeletionService::Stub::AcknowledgeAppeal);
}

absl::StatusOr<AppealTaken> GrpcClient::AnswerAppeal(const AnswerAppealOrder& order, const CallOptions& options) {
  return AppealStep<v1::AnswerAppealRequest, v1::AnswerAppealResponse>(options, order,
                                                                       &v1::DeletionService::Stub::AnswerAppeal);
}

template <typename Request, typename Response, typename Order>
absl::StatusOr<AppealTaken> GrpcClient::AppealStep(
    const CallOptions& options, const Order& order,
    grpc::Status (v1::DeletionService::Stub::*method)(grpc::ClientContext*, const Request&, Response*)) {
  Request request;
  StepToProto(WithRequestId(order), &request);
  Response response;
  const absl::Status status = Call(options, true, *deletion_, method, request, &response);
  if (!status.ok()) return status;
  return AppealTaken{FromProto(response.request()), response.already()};
}

absl::StatusOr<DeletionRequest> GrpcClient::CancelDeletionRequest(const CancelOrder& order,
                                                                  const CallOptions& options) {
  return Step<v1::CancelDeletionRequestRequest, v1::CancelDeletionRequestResponse>(
      options, order, &v1::DeletionService::Stub::CancelDeletionRequest);
}

template <typename Request, typename Response, typename Order>
absl::StatusOr<DeletionRequest> GrpcClient::Step(const CallOptions& options, const Order& order,
                                                 grpc::Status (v1::DeletionService::Stub::*method)(grpc::ClientContext*,
                                                                                                   const Request&,
                                                                                                   Response*)) {
  Request request;
  StepToProto(WithRequestId(order), &request);
  if constexpr (requires { request.set_language(options.language); }) request.set_language(options.language);
  Response response;
  const absl::Status status = Call(options, true, *deletion_, method, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.request());
}

absl::StatusOr<DeletionRequest> GrpcClient::GetDeletionRequest(const DeletionId& deletion, const CallOptions& options) {
  v1::GetDeletionRequestRequest request;
  request.set_deletion_id(deletion.value());
  request.set_language(options.language);
  v1::GetDeletionRequestResponse response;
  const absl::Status status =
      Call(options, true, *deletion_, &v1::DeletionService::Stub::GetDeletionRequest, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.request());
}

absl::StatusOr<DeletionPage> GrpcClient::ListDeletionRequests(const DeletionQuery& query, const CallOptions& options) {
  v1::ListDeletionRequestsRequest request;
  ToProto(query, &request);
  request.set_language(options.language);
  v1::ListDeletionRequestsResponse response;
  const absl::Status status =
      Call(options, true, *deletion_, &v1::DeletionService::Stub::ListDeletionRequests, request, &response);
  if (!status.ok()) return status;
  DeletionPage page;
  for (const v1::DeletionRequest& one : response.requests()) page.requests.push_back(FromProto(one));
  page.next_page_token = response.next_page_token();
  return page;
}

absl::StatusOr<DataSystem> GrpcClient::RegisterDataSystem(const DataSystem& system, const CallOptions& options) {
  v1::RegisterDataSystemRequest request;
  ToProto(system, request.mutable_system());
  v1::RegisterDataSystemResponse response;
  const absl::Status status =
      Call(options, false, *systems_, &v1::DataSystemService::Stub::RegisterDataSystem, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.system());
}

absl::StatusOr<DataSystem> GrpcClient::RetireDataSystem(const std::string& name, const std::string& reason,
                                                        const CallOptions& options) {
  v1::RetireDataSystemRequest request;
  request.set_system(name);
  request.set_reason(reason);
  v1::RetireDataSystemResponse response;
  const absl::Status status =
      Call(options, false, *systems_, &v1::DataSystemService::Stub::RetireDataSystem, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.system());
}

absl::StatusOr<std::vector<DataSystem>> GrpcClient::ListDataSystems(const CallOptions& options) {
  v1::ListDataSystemsResponse response;
  const absl::Status status = Call(options, true, *systems_, &v1::DataSystemService::Stub::ListDataSystems,
                                   v1::ListDataSystemsRequest(), &response);
  if (!status.ok()) return status;
  std::vector<DataSystem> systems;
  for (const v1::DataSystem& system : response.systems()) systems.push_back(FromProto(system));
  return systems;
}

absl::StatusOr<DataSystem> GrpcClient::SetSystemRetention(const std::string& system, const SystemRetention& retention,
                                                          const CallOptions& options) {
  v1::SetSystemRetentionRequest request;
  request.set_system(system);
  ToProto(retention, request.mutable_retention());
  v1::SetSystemRetentionResponse response;
  const absl::Status status =
      Call(options, true, *systems_, &v1::DataSystemService::Stub::SetSystemRetention, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.system());
}

absl::StatusOr<DataSystem> GrpcClient::ReportSweep(const std::string& system, const Sweep& sweep,
                                                   const CallOptions& options) {
  v1::ReportSweepRequest request;
  request.set_system(system);
  ToProto(sweep, request.mutable_sweep());
  v1::ReportSweepResponse response;
  const absl::Status status =
      Call(options, true, *systems_, &v1::DataSystemService::Stub::ReportSweep, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.system());
}

absl::StatusOr<LeasedTasks> GrpcClient::LeaseTasks(const LeaseOrder& order, const CallOptions& options) {
  using std::chrono::seconds;
  if (order.visibility < seconds(1) || order.visibility > seconds(43'200) || order.wait < seconds(0) ||
      order.wait > seconds(60)) {
    return absl::InvalidArgumentError("`visibility` must be from 1 to 43,200 s and `wait` from 0 to 60 s");
  }
  // One that went missing here would make the daemon hand out all.
  for (const DeletionSelectorKind kind : order.accepts) {
    if (kind == DeletionSelectorKind::kUnset) return absl::InvalidArgumentError("`accepts` must name selectors");
  }
  v1::LeaseTasksRequest request;
  ToProto(order, &request);
  v1::LeaseTasksResponse response;
  std::chrono::nanoseconds sent{0};
  // The wait is no delay: it comes on top of what a call may take.
  const std::chrono::milliseconds deadline = options.deadline.value_or(options_.deadline) + order.wait;
  CallOptions waiting = options;
  waiting.deadline = std::min<std::chrono::milliseconds>(deadline, std::chrono::hours(1));
  const absl::Status status =
      Call(waiting, false, *purge_, &v1::PurgeService::Stub::LeaseTasks, request, &response, &sent);
  if (!status.ok()) return status;
  LeasedTasks leased;
  for (const v1::PurgeTask& task : response.tasks()) {
    leased.tasks.push_back(FromProto(task));
    if (!order.heeds_exceptions && !leased.tasks.back().exceptions.empty()) leased.tasks.back().selector = {};
  }
  leased.held_until = sent + order.visibility;
  leased.open_tasks = response.open_tasks();
  return leased;
}

absl::StatusOr<std::vector<TaskAnswer>> GrpcClient::CompleteTasks(const std::string& system,
                                                                  const std::vector<TaskResult>& results,
                                                                  const CallOptions& options) {
  v1::CompleteTasksRequest request;
  request.set_system(system);
  for (const TaskResult& result : results) ToProto(result, request.add_results());
  v1::CompleteTasksResponse response;
  const absl::Status status = Call(options, true, *purge_, &v1::PurgeService::Stub::CompleteTasks, request, &response);
  if (!status.ok()) return status;
  return Answers(response, results.size());
}

absl::StatusOr<std::vector<TaskAnswer>> GrpcClient::FailTasks(const std::string& system,
                                                              const std::vector<TaskFailure>& failures,
                                                              const CallOptions& options) {
  v1::FailTasksRequest request;
  request.set_system(system);
  for (const TaskFailure& failure : failures) ToProto(failure, request.add_failures());
  v1::FailTasksResponse response;
  const absl::Status status = Call(options, true, *purge_, &v1::PurgeService::Stub::FailTasks, request, &response);
  if (!status.ok()) return status;
  return Answers(response, failures.size());
}

absl::StatusOr<std::vector<TaskRenewal>> GrpcClient::RenewTasks(const std::string& system,
                                                                const std::vector<TaskLease>& leases,
                                                                std::chrono::seconds visibility,
                                                                const CallOptions& options) {
  if (visibility < std::chrono::seconds(1) || visibility > std::chrono::seconds(43'200)) {
    return absl::InvalidArgumentError("`visibility` must be from 1 to 43,200 s");
  }
  v1::RenewTasksRequest request;
  request.set_system(system);
  request.set_visibility_seconds(static_cast<int32_t>(visibility.count()));
  for (const TaskLease& lease : leases) {
    v1::TaskLease& out = *request.add_leases();
    out.set_task_id(lease.task_id.value());
    out.set_epoch(lease.epoch);
  }
  v1::RenewTasksResponse response;
  std::chrono::nanoseconds sent{0};
  const absl::Status status =
      Call(options, false, *purge_, &v1::PurgeService::Stub::RenewTasks, request, &response, &sent);
  if (!status.ok()) return status;
  if (static_cast<size_t>(response.renewals_size()) != leases.size()) {
    return absl::InternalError("one lease must have one answer");
  }
  std::vector<TaskRenewal> renewals;
  for (const v1::TaskRenewal& renewal : response.renewals()) {
    const auto held = std::min(std::chrono::milliseconds(std::max<int64_t>(renewal.held_milliseconds(), 0)),
                               std::chrono::milliseconds(visibility));
    renewals.push_back({FromNumber<LeaseState>(renewal.state()), sent + held});
  }
  return renewals;
}

absl::StatusOr<TaskPage> GrpcClient::ListTasks(const TaskQuery& query, const CallOptions& options) {
  v1::ListTasksRequest request;
  ToProto(query, &request);
  v1::ListTasksResponse response;
  const absl::Status status = Call(options, true, *purge_, &v1::PurgeService::Stub::ListTasks, request, &response);
  if (!status.ok()) return status;
  TaskPage page;
  for (const v1::TaskStatus& task : response.tasks()) page.tasks.push_back(FromProto(task));
  page.next_page_token = response.next_page_token();
  return page;
}

absl::StatusOr<RetryPage> GrpcClient::RetryTasks(const RetryOrder& order, const CallOptions& options) {
  v1::RetryTasksRequest request;
  ToProto(order, &request);
  v1::RetryTasksResponse response;
  const absl::Status status = Call(options, true, *purge_, &v1::PurgeService::Stub::RetryTasks, request, &response);
  if (!status.ok()) return status;
  if (!order.tasks.empty() && static_cast<size_t>(response.tasks_size()) != order.tasks.size()) {
    return absl::InternalError("one task must have one answer");
  }
  RetryPage page;
  for (const v1::TaskRetry& task : response.tasks()) {
    page.tasks.push_back({TaskId(task.task_id()), FromNumber<RetryState>(task.state())});
  }
  page.next_page_token = response.next_page_token();
  return page;
}

}  // namespace consent
