// RecordingService on gRPC.
#pragma once

#include "consent/v1/recording_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/subject_changes.h"

namespace consent::rpc {

// Thread-safe; the references outlive the server.
class RecordingRpc final
    : public v1::RecordingService::WithRawCallbackMethod_ReportRecording<v1::RecordingService::Service> {
 public:
  RecordingRpc(service::Core& core, service::SubjectChanges& changes, const RpcDependencies& dependencies);

  grpc::ServerUnaryReactor* ReportRecording(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                            grpc::ByteBuffer* out) override;

 private:
  service::Core& core_;
  service::SubjectChanges& changes_;
  const RpcDependencies dependencies_;
  const Method report_;
};

}  // namespace consent::rpc
