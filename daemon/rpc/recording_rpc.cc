#include "daemon/rpc/recording_rpc.h"

#include <utility>

#include "daemon/rpc/changes.h"
#include "daemon/wire/recording.h"

namespace consent::rpc {

RecordingRpc::RecordingRpc(service::Core& core, service::SubjectChanges& changes, const RpcDependencies& dependencies)
    : core_(core),
      changes_(changes),
      dependencies_(dependencies),
      report_(Method::Named("consent.v1.RecordingService.ReportRecording")) {}

grpc::ServerUnaryReactor* RecordingRpc::ReportRecording(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* in, grpc::ByteBuffer* out) {
  return Handle<v1::ReportRecordingRequest, v1::ReportRecordingResponse>(
      dependencies_, report_, context, in, out, [this](auto call) {
        auto input = wire::ReadReportRecording(call->request(), core_.hasher);
        if (!input.ok()) return call->Finish(input.status());
        call->response()->set_unusable(input->unusable);
        auto request = ToChangeRequest(core_, call, service::ChangeKind::kReportRecording, *std::move(input));
        ChangeNote note(request);
        changes_.Submit(std::move(request),
                        [this, call, note = std::move(note)](absl::StatusOr<service::ChangeReply> reply) {
                          if (!reply.ok()) return call->Finish(reply.status());
                          note.Report(*reply, dependencies_.observer);
                          wire::WriteFlags(reply->flags, call->response()->mutable_flags());
                          call->response()->set_revision(core_.tokens.Encode(reply->revision));
                          call->response()->set_account_closed(reply->account_closed);
                          call->response()->set_subject_is_new(reply->subject_is_new);
                          if (!reply->unusable.empty()) call->response()->set_unusable(reply->unusable);
                          call->Finish(absl::OkStatus());
                        });
      });
}

}  // namespace consent::rpc
