// SettingsService on gRPC.
#pragma once

#include <string>

#include "consent/v1/settings_service.grpc.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/read_subject.h"
#include "daemon/service/subject/subject_changes.h"

namespace consent::rpc {

// Writes go to SubjectChanges and are answered from it; reads go to the read pool. A write whose client went away is
// finished all the same: it is durable or refused, and a repeated request_id gets its answer. Thread-safe; the
// references outlive the server.
class SettingsRpc final
    : public v1::SettingsService::WithRawCallbackMethod_GetSettings<
          v1::SettingsService::WithRawCallbackMethod_UpdateSettings<v1::SettingsService::WithRawCallbackMethod_OptOut<
              v1::SettingsService::WithRawCallbackMethod_ListSettingsHistory<
                  v1::SettingsService::WithRawCallbackMethod_ListChoices<
                      v1::SettingsService::WithRawCallbackMethod_GetSettingsAt<v1::SettingsService::Service>>>>>> {
 public:
  SettingsRpc(service::Core& core, service::SubjectChanges& changes, const service::ReadSubject& reads,
              const RpcDependencies& dependencies);

  using In = const grpc::ByteBuffer*;
  using Out = grpc::ByteBuffer*;
  grpc::ServerUnaryReactor* GetSettings(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* UpdateSettings(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* OptOut(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ListSettingsHistory(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* ListChoices(grpc::CallbackServerContext* context, In in, Out out) override;
  grpc::ServerUnaryReactor* GetSettingsAt(grpc::CallbackServerContext* context, In in, Out out) override;

 private:
  void WriteShown(const service::SettingsAt& then, const Peer& reader, v1::GetSettingsAtResponse* out) const;

  service::Core& core_;
  service::SubjectChanges& changes_;
  const service::ReadSubject& reads_;
  const RpcDependencies dependencies_;
  const Method get_;
  const Method update_;
  const Method opt_out_;
  const Method history_;
  const Method choices_;
  const Method at_;
};

}  // namespace consent::rpc
