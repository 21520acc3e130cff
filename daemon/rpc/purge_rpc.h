// PurgeService on gRPC.
#pragma once

#include <chrono>

#include "consent/v1/purge_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/service/purge/purge_tasks.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/wire/purge.h"

namespace consent::rpc {

using PurgeServiceBase = v1::PurgeService::WithRawCallbackMethod_LeaseTasks<
    v1::PurgeService::WithRawCallbackMethod_CompleteTasks<v1::PurgeService::WithRawCallbackMethod_FailTasks<
        v1::PurgeService::WithRawCallbackMethod_RenewTasks<v1::PurgeService::WithRawCallbackMethod_ListTasks<
            v1::PurgeService::WithRawCallbackMethod_RetryTasks<v1::PurgeService::Service>>>>>>;

// Thread-safe; the references outlive the server.
class PurgeRpc final : public PurgeServiceBase {
 public:
  PurgeRpc(service::Core& core, service::PurgeTasks& tasks, service::DataSystems& systems, service::TaskQueue& queue,
           const RpcDependencies& dependencies);

  using In = const grpc::ByteBuffer*;
  using Out = grpc::ByteBuffer*;
  grpc::ServerUnaryReactor* LeaseTasks(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* CompleteTasks(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* FailTasks(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* RenewTasks(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ListTasks(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* RetryTasks(grpc::CallbackServerContext* context, In in, Out out) override;

 private:
  using LeaseCall = CallPtr<v1::LeaseTasksRequest, v1::LeaseTasksResponse>;
  struct Patience {
    service::SystemRow system;
    wire::LeaseInput input;
    std::chrono::steady_clock::time_point until;
    service::Accepts accepts = service::kAcceptsAll;
  };
  // Leases now, or when there is something to lease, until patience ends.
  void Lease(const LeaseCall& call, std::shared_ptr<const Patience> patience);
  void LeaseNow(const LeaseCall& call, const std::shared_ptr<const Patience>& patience);
  // The answer to a report that was refused for what it says: a failure of its task, counted.
  absl::Status Refuse(const service::SystemRow& system, service::DeletionPlace place, const wire::ReportInput& report);

  // One page of RetryTasks: of the tasks that it names, or of those that failed.
  absl::Status Retry(const wire::RetryInput& input, const service::PageToken& from,
                     const v1::RetryTasksRequest& request, const std::string& caller, v1::RetryTasksResponse* out);

  service::Core& core_;
  service::PurgeTasks& tasks_;
  service::DataSystems& systems_;
  service::TaskQueue& queue_;
  const RpcDependencies dependencies_;
  const Method lease_, complete_, fail_, renew_, list_, retry_;
};

}  // namespace consent::rpc
