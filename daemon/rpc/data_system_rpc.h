// DataSystemService on gRPC.
#pragma once

#include "consent/v1/purge_service.grpc.pb.h"
#include "daemon/rpc/raw_service.h"
#include "daemon/service/purge/task_queue.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/service/registry/sweeps.h"
#include "daemon/service/state/core.h"

namespace consent::rpc {

// Thread-safe; the references outlive the server.
class DataSystemRpc final : public RawService<v1::DataSystemService> {
 public:
  DataSystemRpc(const service::Core& core, service::DataSystems& systems, service::Sweeps& sweeps,
                service::TaskQueue& queue, const RpcDependencies& dependencies);

 private:
  void Register(const CallPtr<v1::RegisterDataSystemRequest, v1::RegisterDataSystemResponse>& call);
  void SetRetention(const CallPtr<v1::SetSystemRetentionRequest, v1::SetSystemRetentionResponse>& call);
  void Report(const CallPtr<v1::ReportSweepRequest, v1::ReportSweepResponse>& call);
  void Retire(const CallPtr<v1::RetireDataSystemRequest, v1::RetireDataSystemResponse>& call);
  void List(const CallPtr<v1::ListDataSystemsRequest, v1::ListDataSystemsResponse>& call);
  void Write(const service::SystemRow& row, v1::DataSystem* out) const;
  // Where it is OK: writes the system.
  absl::Status Write(const absl::StatusOr<service::SystemRow>& row, v1::DataSystem* out) const;

  const service::Core& core_;
  service::DataSystems& systems_;
  service::Sweeps& sweeps_;
  service::TaskQueue& queue_;
};

}  // namespace consent::rpc
