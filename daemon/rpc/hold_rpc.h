// HoldService on gRPC.
#pragma once

#include "consent/v1/hold_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/rpc/proposing.h"
#include "daemon/service/deletion/holds.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/service/registry/proposals.h"

namespace consent::rpc {

using HoldServiceBase = v1::HoldService::WithRawCallbackMethod_PlaceHold<
    v1::HoldService::WithRawCallbackMethod_ReleaseHold<v1::HoldService::WithRawCallbackMethod_ReviewHold<
        v1::HoldService::WithRawCallbackMethod_ListHolds<v1::HoldService::Service>>>>;

// Thread-safe; the references outlive the server.
class HoldRpc final : public HoldServiceBase {
 public:
  HoldRpc(service::Core& core, service::Holds& holds, service::Proposals& proposals, service::DataSystems& systems,
          const RpcDependencies& dependencies);

  using In = const grpc::ByteBuffer*;
  using Out = grpc::ByteBuffer*;
  grpc::ServerUnaryReactor* PlaceHold(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ReleaseHold(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ReviewHold(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ListHolds(grpc::CallbackServerContext* context, In in, Out out) override;

 private:
  // Where one person may not release it. Blocks.
  absl::Status ProposeRelease(const Proposer& proposer, v1::ReleaseHoldRequest request, service::HoldPlace place,
                              v1::ReleaseHoldResponse* out) const;
  absl::Status Read(service::HoldPlace place, v1::Hold* out) const;
  void Write(const service::HoldView& view, v1::Hold* out) const;

  service::Core& core_;
  service::Holds& holds_;
  service::Proposals& proposals_;
  service::DataSystems& systems_;
  const RpcDependencies dependencies_;
  const Method place_, release_, review_, list_;
};

}  // namespace consent::rpc
