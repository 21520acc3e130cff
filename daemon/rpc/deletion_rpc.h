// DeletionService on gRPC.
#pragma once

#include <string_view>

#include "consent/v1/deletion_service.grpc.pb.h"
#include "daemon/rpc/raw_service.h"
#include "daemon/service/deletion/deletions.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/wire/deletion.h"

namespace consent::rpc {

// Thread-safe; the references outlive the server.
class DeletionRpc final : public RawService<v1::DeletionService> {
 public:
  DeletionRpc(service::Core& core, service::Deletions& deletions, service::DataSystems& systems,
              const RpcDependencies& dependencies);

 private:
  // Serves the method `name`, which is a step of a request.
  template <typename RequestT, typename ResponseT>
  void ServeStep(const char* name);
  void Create(const CallPtr<v1::CreateDeletionRequestRequest, v1::CreateDeletionRequestResponse>& call);
  // Runs a step for a call of any method that is one, and answers with the request as it is then.
  template <typename CallPtrT>
  void Step(CallPtrT call, wire::DeletionStepInput input);
  void Get(const CallPtr<v1::GetDeletionRequestRequest, v1::GetDeletionRequestResponse>& call);
  void List(const CallPtr<v1::ListDeletionRequestsRequest, v1::ListDeletionRequestsResponse>& call);
  // `language`: of how to appeal.
  absl::Status Read(service::DeletionPlace place, std::string_view language, v1::DeletionRequest* out) const;
  void Write(const service::DeletionView& view, std::string_view language, v1::DeletionRequest* out) const;

  service::Core& core_;
  service::Deletions& deletions_;
  service::DataSystems& systems_;
};

}  // namespace consent::rpc
