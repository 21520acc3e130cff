// DeletionService on gRPC.
#pragma once

#include "consent/v1/deletion_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/service/deletion/deletions.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/wire/deletion.h"

namespace consent::rpc {

using DeletionServiceBase = v1::DeletionService::WithRawCallbackMethod_CreateDeletionRequest<
    v1::DeletionService::WithRawCallbackMethod_VerifyDeletionRequest<
        v1::DeletionService::WithRawCallbackMethod_DenyDeletionRequest<
            v1::DeletionService::WithRawCallbackMethod_ExtendDeletionRequest<
                v1::DeletionService::WithRawCallbackMethod_CancelDeletionRequest<
                    v1::DeletionService::WithRawCallbackMethod_GetDeletionRequest<
                        v1::DeletionService::WithRawCallbackMethod_ListDeletionRequests<
                            v1::DeletionService::Service>>>>>>>;

// Thread-safe; the references outlive the server.
class DeletionRpc final : public DeletionServiceBase {
 public:
  DeletionRpc(service::Core& core, service::Deletions& deletions, service::DataSystems& systems,
              const RpcDependencies& dependencies);

  using In = const grpc::ByteBuffer*;
  using Out = grpc::ByteBuffer*;
  grpc::ServerUnaryReactor* CreateDeletionRequest(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* VerifyDeletionRequest(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* DenyDeletionRequest(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ExtendDeletionRequest(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* CancelDeletionRequest(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* GetDeletionRequest(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ListDeletionRequests(grpc::CallbackServerContext* context, In in, Out out) override;

 private:
  // Runs one step for a call of any of the four methods and answers with the request as it is then.
  template <typename CallPtrT>
  void Step(CallPtrT call, wire::DeletionStepInput input, service::DeletionStep step);
  absl::Status Read(service::DeletionPlace place, v1::DeletionRequest* out) const;
  void Write(const service::DeletionView& view, v1::DeletionRequest* out) const;
  // DELETION_NOT_FOUND.
  absl::StatusOr<service::DeletionPlace> PlaceOf(const std::string& deletion_id) const;

  service::Core& core_;
  service::Deletions& deletions_;
  service::DataSystems& systems_;
  const RpcDependencies dependencies_;
  const Method create_, verify_, deny_, extend_, cancel_, get_, list_;
};

}  // namespace consent::rpc
