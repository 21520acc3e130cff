#include "daemon/rpc/subject_rpc.h"

#include <utility>

#include "daemon/rpc/changes.h"
#include "daemon/rpc/listing.h"
#include "daemon/rpc/unreached.h"
#include "daemon/wire/subject.h"

namespace consent::rpc {

SubjectRpc::SubjectRpc(service::Core& core, service::SubjectChanges& changes, service::JoinSubjects& joins,
                       const service::ReadSubject& reads, const service::ChildrenDue& children,
                       const RpcDependencies& dependencies)
    : RawService(dependencies), core_(core), changes_(changes), joins_(joins), reads_(reads), children_(children) {
  Serve<v1::UpsertSubjectRequest, v1::UpsertSubjectResponse>("UpsertSubject",
                                                             [this](const auto& call) { Upsert(call); });
  Serve<v1::GetSubjectRequest, v1::GetSubjectResponse>("GetSubject", [this](const auto& call) { Get(call); });
  Serve<v1::RecordChildNoticeRequest, v1::RecordChildNoticeResponse>("RecordChildNotice",
                                                                     [this](const auto& call) { RecordNotice(call); });
  Serve<v1::JoinSubjectsRequest, v1::JoinSubjectsResponse>("JoinSubjects", [this](const auto& call) { Join(call); });
  Serve<v1::ListChildrenDueRequest, v1::ListChildrenDueResponse>("ListChildrenDue",
                                                                 [this](const auto& call) { ListChildren(call); });
}

void SubjectRpc::Upsert(const CallPtr<v1::UpsertSubjectRequest, v1::UpsertSubjectResponse>& call) {
  auto input = wire::ReadUpsertSubject(call->request(), core_.hasher, core_.Now());
  if (!input.ok()) return call->Finish(input.status());
  auto request = ToChangeRequest(core_, call, service::ChangeKind::kUpsertSubject, *std::move(input));
  const PartNames names{[call](size_t i) { return wire::UpsertPartName(call->request(), i); }};
  request.path_of = [names](size_t i) { return names.Of(i); };
  ChangeNote note(request);
  const auto consents = ConsentsOf(request.command);
  changes_.Submit(std::move(request), [this, call, names, note = std::move(note),
                                       consents](const absl::StatusOr<service::ChangeReply>& reply) {
    if (!reply.ok()) return call->Finish(reply.status());
    if (!call->request().validate_only()) note.Report(*reply, dependencies_.observer);
    v1::UpsertSubjectResponse* response = call->response();
    response->set_revision(core_.tokens.Encode(reply->revision));
    response->set_registered(reply->registered_now);
    response->set_account_closed(reply->account_closed);
    response->set_subject_is_new(reply->subject_is_new);
    response->set_unusable(reply->unusable);
    WriteParts(reply->parts, names, response->mutable_results());
    WriteUnreached(core_, reads_, call->request().account_id(), consents.get(), *reply, response->mutable_unreached());
    call->Finish(absl::OkStatus());
  });
}

void SubjectRpc::Get(const CallPtr<v1::GetSubjectRequest, v1::GetSubjectResponse>& call) {
  const auto subject = wire::ReadGetSubject(call->request(), core_.hasher);
  if (!subject.ok()) return call->Finish(subject.status());
  FinishOnPool(dependencies_, call, [this, call, subject = *subject]() -> absl::Status {
    auto view = reads_.Get(subject);
    if (!view.ok()) return view.status();
    const wire::Names names{std::move(view->names), std::move(view->guardians)};
    wire::WriteSubject(view->facts, names, core_.tokens.Encode(view->revision), call->response());
    return absl::OkStatus();
  });
}

void SubjectRpc::RecordNotice(const CallPtr<v1::RecordChildNoticeRequest, v1::RecordChildNoticeResponse>& call) {
  auto input = wire::ReadRecordChildNotice(call->request(), core_.hasher);
  if (!input.ok()) return call->Finish(input.status());
  auto request = ToChangeRequest(core_, call, service::ChangeKind::kChildNotice, *std::move(input));
  ChangeNote note(request);
  changes_.Submit(std::move(request),
                  [this, call, note = std::move(note)](const absl::StatusOr<service::ChangeReply>& reply) {
                    if (!reply.ok()) return call->Finish(reply.status());
                    note.Report(*reply, dependencies_.observer);
                    call->response()->set_revision(core_.tokens.Encode(reply->revision));
                    call->response()->set_already(!reply->parts.empty() && !reply->parts.front().changed);
                    call->Finish(absl::OkStatus());
                  });
}

void SubjectRpc::Join(const CallPtr<v1::JoinSubjectsRequest, v1::JoinSubjectsResponse>& call) {
  auto input = wire::ReadJoinSubjects(call->request(), core_.hasher);
  if (!input.ok()) return call->Finish(input.status());
  service::JoinRequest request;
  request.into = input->into;
  request.into_account_id = std::move(input->into_account_id);
  request.into_etag = core_.tokens.DecodeRevision(input->into_etag);
  request.into_is_new = input->into_is_new;
  request.from = ToChangeRequest(core_, call, service::ChangeKind::kJoined, std::move(input->from));
  const domain::Channel channel = request.from.command.proof.channel;
  RunOnPoolIfAwaited(dependencies_, call, [this, call, channel, request = std::move(request)]() mutable {
    joins_.Join(std::move(request), [this, call, channel](const absl::StatusOr<service::Joined>& joined) {
      if (!joined.ok()) return call->Finish(joined.status());
      ReportChange(service::ChangeKind::kJoined, channel, dependencies_.observer);
      call->response()->set_revision(core_.tokens.Encode(joined->revision));
      call->response()->set_already(joined->already);
      call->Finish(absl::OkStatus());
    });
  });
}

void SubjectRpc::ListChildren(const CallPtr<v1::ListChildrenDueRequest, v1::ListChildrenDueResponse>& call) {
  const auto query = wire::ReadListChildrenDue(call->request(), core_.hasher);
  if (!query.ok()) return call->Finish(query.status());
  const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
  if (!from.ok()) return call->Finish(from.status());
  const service::ChildrenFilter filter{query->subject, query->due};
  const auto limit = static_cast<size_t>(query->page_size);
  FinishOnPool(dependencies_, call, [this, call, filter, limit, from = *from]() -> absl::Status {
    auto page = children_.List(filter, limit, from);
    if (!page.ok()) return page.status();
    for (service::InactiveChildren& account : page->accounts) {
      const std::string& id = filter.subject.IsSet() ? call->request().account_id() : account.view.account_id;
      const wire::Names names{std::move(account.view.names), std::move(account.view.guardians)};
      for (const auto& [profile, inactivity] : account.profiles) {
        wire::WriteInactiveChild(id, profile, inactivity, names, call->response()->add_children());
      }
    }
    if (page->next.has_value()) {
      call->response()->set_next_page_token(core_.tokens.Encode(*page->next, ListingOf(call->request())));
    }
    return absl::OkStatus();
  });
}

}  // namespace consent::rpc
