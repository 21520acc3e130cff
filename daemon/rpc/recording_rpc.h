// RecordingService on gRPC.
#pragma once

#include "consent/v1/recording_service.grpc.pb.h"
#include "daemon/rpc/raw_service.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/safety_flags.h"
#include "daemon/service/subject/subject_changes.h"

namespace consent::rpc {

// Thread-safe; the references outlive the server.
class RecordingRpc final : public RawService<v1::RecordingService> {
 public:
  RecordingRpc(service::Core& core, service::SubjectChanges& changes, service::SafetyFlags& safety_flags,
               const RpcDependencies& dependencies);

 private:
  void Report(const CallPtr<v1::ReportRecordingRequest, v1::ReportRecordingResponse>& call);
  void List(const CallPtr<v1::ListSafetyFlagsRequest, v1::ListSafetyFlagsResponse>& call);
  void AcknowledgeFlag(const CallPtr<v1::AcknowledgeSafetyFlagRequest, v1::AcknowledgeSafetyFlagResponse>& call);
  void HandleFlag(const CallPtr<v1::HandleSafetyFlagRequest, v1::HandleSafetyFlagResponse>& call);

  service::Core& core_;
  service::SubjectChanges& changes_;
  service::SafetyFlags& safety_flags_;
};

}  // namespace consent::rpc
