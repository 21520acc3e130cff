// DataSystemService on gRPC.
#pragma once

#include "consent/v1/purge_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/service/purge/task_queue.h"
#include "daemon/service/registry/data_systems.h"

namespace consent::rpc {

using DataSystemServiceBase = v1::DataSystemService::WithRawCallbackMethod_RegisterDataSystem<
    v1::DataSystemService::WithRawCallbackMethod_RetireDataSystem<
        v1::DataSystemService::WithRawCallbackMethod_ListDataSystems<v1::DataSystemService::Service>>>;

// Thread-safe; the references outlive the server.
class DataSystemRpc final : public DataSystemServiceBase {
 public:
  DataSystemRpc(service::DataSystems& systems, service::TaskQueue& queue, const RpcDependencies& dependencies);

  using In = const grpc::ByteBuffer*;
  using Out = grpc::ByteBuffer*;
  grpc::ServerUnaryReactor* RegisterDataSystem(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* RetireDataSystem(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ListDataSystems(grpc::CallbackServerContext* context, In in, Out out) override;

 private:
  void Write(const service::SystemRow& row, v1::DataSystem* out) const;

  service::DataSystems& systems_;
  service::TaskQueue& queue_;
  const RpcDependencies dependencies_;
  const Method register_, retire_, list_;
};

}  // namespace consent::rpc
