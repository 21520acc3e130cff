#include "daemon/rpc/subject_rpc.h"

#include <utility>

#include "daemon/rpc/changes.h"
#include "daemon/wire/subject.h"

namespace consent::rpc {

SubjectRpc::SubjectRpc(service::Core& core, service::SubjectChanges& changes, const service::ReadSubject& reads,
                       const RpcDependencies& dependencies)
    : core_(core),
      changes_(changes),
      reads_(reads),
      dependencies_(dependencies),
      upsert_(Method::Named("consent.v1.SubjectService.UpsertSubject")),
      get_(Method::Named("consent.v1.SubjectService.GetSubject")) {}

grpc::ServerUnaryReactor* SubjectRpc::UpsertSubject(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                    grpc::ByteBuffer* out) {
  return Handle<v1::UpsertSubjectRequest, v1::UpsertSubjectResponse>(
      dependencies_, upsert_, context, in, out, [this](auto call) {
        auto input = wire::ReadUpsertSubject(call->request(), core_.hasher, core_.Now());
        if (!input.ok()) return call->Finish(input.status());
        auto request = ToChangeRequest(core_, call, service::ChangeKind::kUpsertSubject, *std::move(input));
        ChangeNote note(request);
        changes_.Submit(std::move(request),
                        [this, call, note = std::move(note)](absl::StatusOr<service::ChangeReply> reply) {
                          if (!reply.ok()) return call->Finish(reply.status());
                          if (!call->request().validate_only()) note.Report(*reply, dependencies_.observer);
                          v1::UpsertSubjectResponse* response = call->response();
                          response->set_revision(core_.tokens.Encode(reply->revision));
                          response->set_registered(reply->registered_now);
                          response->set_account_closed(reply->account_closed);
                          response->set_subject_is_new(reply->subject_is_new);
                          response->set_unusable(reply->unusable);
                          WriteParts(
                              reply->parts, [&call](size_t i) { return wire::UpsertPartName(call->request(), i); },
                              response->mutable_results());
                          call->Finish(absl::OkStatus());
                        });
      });
}

grpc::ServerUnaryReactor* SubjectRpc::GetSubject(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                 grpc::ByteBuffer* out) {
  return Handle<v1::GetSubjectRequest, v1::GetSubjectResponse>(
      dependencies_, get_, context, in, out, [this](auto call) {
        const auto subject = wire::ReadGetSubject(call->request(), core_.hasher);
        if (!subject.ok()) return call->Finish(subject.status());
        FinishOnPool(dependencies_, call, [this, call, subject = *subject]() -> absl::Status {
          auto view = reads_.Get(subject);
          if (!view.ok()) return view.status();
          const wire::Names names{std::move(view->names), std::move(view->guardians)};
          wire::WriteSubject(view->facts, names, core_.tokens.Encode(view->revision), call->response());
          return absl::OkStatus();
        });
      });
}

}  // namespace consent::rpc
