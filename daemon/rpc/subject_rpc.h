// SubjectService on gRPC.
#pragma once

#include "consent/v1/subject_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/read_subject.h"
#include "daemon/service/subject/subject_changes.h"

namespace consent::rpc {

// As SettingsRpc. Thread-safe; the references outlive the server.
class SubjectRpc final : public v1::SubjectService::WithRawCallbackMethod_UpsertSubject<
                             v1::SubjectService::WithRawCallbackMethod_GetSubject<v1::SubjectService::Service>> {
 public:
  SubjectRpc(service::Core& core, service::SubjectChanges& changes, const service::ReadSubject& reads,
             const RpcDependencies& dependencies);

  grpc::ServerUnaryReactor* UpsertSubject(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                          grpc::ByteBuffer* out) override;
  grpc::ServerUnaryReactor* GetSubject(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                       grpc::ByteBuffer* out) override;

 private:
  service::Core& core_;
  service::SubjectChanges& changes_;
  const service::ReadSubject& reads_;
  const RpcDependencies dependencies_;
  const Method upsert_;
  const Method get_;
};

}  // namespace consent::rpc
