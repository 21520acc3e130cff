#include "daemon/rpc/deletion_rpc.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/policy/reading.h"
#include "daemon/rpc/changes.h"
#include "daemon/rpc/listing.h"
#include "daemon/wire/appeal.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {

DeletionRpc::DeletionRpc(service::Core& core, service::Deletions& deletions, service::DataSystems& systems,
                         const RpcDependencies& dependencies)
    : RawService(dependencies), core_(core), deletions_(deletions), systems_(systems) {
  Serve<v1::CreateDeletionRequestRequest, v1::CreateDeletionRequestResponse>(
      "CreateDeletionRequest", [this](const auto& call) { Create(call); });
  ServeStep<v1::VerifyDeletionRequestRequest, v1::VerifyDeletionRequestResponse>("VerifyDeletionRequest");
  ServeStep<v1::DenyDeletionRequestRequest, v1::DenyDeletionRequestResponse>("DenyDeletionRequest");
  ServeStep<v1::ExtendDeletionRequestRequest, v1::ExtendDeletionRequestResponse>("ExtendDeletionRequest");
  ServeStep<v1::ConfirmReceiptRequest, v1::ConfirmReceiptResponse>("ConfirmReceipt");
  ServeStep<v1::ReceiveAppealRequest, v1::ReceiveAppealResponse>("ReceiveAppeal");
  ServeStep<v1::AcknowledgeAppealRequest, v1::AcknowledgeAppealResponse>("AcknowledgeAppeal");
  ServeStep<v1::AnswerAppealRequest, v1::AnswerAppealResponse>("AnswerAppeal");
  ServeStep<v1::CancelDeletionRequestRequest, v1::CancelDeletionRequestResponse>("CancelDeletionRequest");
  Serve<v1::GetDeletionRequestRequest, v1::GetDeletionRequestResponse>("GetDeletionRequest",
                                                                       [this](const auto& call) { Get(call); });
  Serve<v1::ListDeletionRequestsRequest, v1::ListDeletionRequestsResponse>("ListDeletionRequests",
                                                                           [this](const auto& call) { List(call); });
}

template <typename RequestT, typename ResponseT>
void DeletionRpc::ServeStep(const char* name) {
  Serve<RequestT, ResponseT>(name, [this](const auto& call) {
    auto input = wire::ReadDeletionStep(call->request(), core_.hasher);
    input.ok() ? Step(call, *std::move(input)) : call->Finish(input.status());
  });
}

void DeletionRpc::Write(const service::DeletionView& view, std::string_view language, v1::DeletionRequest* out) const {
  std::vector<wire::SystemName> names;
  for (const service::SystemRow& system : systems_.List()) names.emplace_back(system.number, system.name);
  const service::DeletionEtag etag{view.request.id, view.request.changed};
  wire::WriteDeletion(view.request, view.on_hold, core_.tokens.Encode(etag), names, core_.Now(), out);
  wire::WriteHowToAppeal(view.request, *core_.policies.rules(), language, out);
  wire::WriteBackupsUntil(view.request, policy::BackupKeepDays(core_.policies.current()->document.policy()), out);
  if (!view.payload.has_value()) return;
  out->set_account_id(view.payload->account_id);
  out->mutable_selector()->ParseFromString(view.payload->selector);
}

absl::Status DeletionRpc::Read(service::DeletionPlace place, std::string_view language,
                               v1::DeletionRequest* out) const {
  const absl::StatusOr<service::DeletionView> view = deletions_.Get(place);
  if (view.ok()) Write(*view, language, out);
  return view.status();
}

void DeletionRpc::Create(const CallPtr<v1::CreateDeletionRequestRequest, v1::CreateDeletionRequestResponse>& call) {
  auto input = wire::ReadCreateDeletion(call->request(), core_.hasher, core_.Now());
  if (!input.ok()) return call->Finish(input.status());
  call->response()->set_unusable(input->change.unusable);
  service::NewDeletion deletion{std::move(input->selector),
                                input->times,
                                input->requester,
                                input->state,
                                {std::move(input->account_id), std::move(input->selector_bytes)}};
  auto request = ToChangeRequest(core_, call, service::ChangeKind::kDeletionReceived, std::move(input->change));
  const domain::Channel channel = request.command.proof.channel;
  deletions_.Create(std::move(request), std::move(deletion),
                    [this, call, channel](absl::StatusOr<service::Deletions::Created> created) {
                      if (!created.ok()) return call->Finish(created.status());
                      ReportChange(service::ChangeKind::kDeletionReceived, channel, dependencies_.observer);
                      call->response()->set_created(created->created);
                      call->response()->set_revision(core_.tokens.Encode(created->revision));
                      call->response()->set_account_closed(created->account_closed);
                      call->response()->set_subject_is_new(created->subject_is_new);
                      if (!created->unusable.empty()) call->response()->set_unusable(created->unusable);
                      call->Finish(Read(created->place, "", call->response()->mutable_request()));
                    });
}

template <typename CallPtrT>
void DeletionRpc::Step(CallPtrT call, wire::DeletionStepInput input) {
  const service::ChangeKind kind = service::KindOf(input.command.step);
  if (!input.etag.empty() && input.deletion_id.has_value()) {
    const auto etag = core_.tokens.DecodeEtag(input.etag, *input.deletion_id);
    input.command.etag = etag.has_value() ? etag->changed : service::kStaleEtag;
  }
  auto request = ToChangeRequest(core_, call, kind, std::move(input.change));
  RunOnPool(dependencies_, call,
            [this, call, id = input.deletion_id, kind, command = std::move(input.command),
             language = std::move(input.language), request = std::move(request)]() mutable {
              const absl::StatusOr<service::DeletionPlace> place = deletions_.Find(id);
              if (!place.ok()) return call->Finish(place.status());
              const domain::Channel channel = request.command.proof.channel;
              deletions_.Step(std::move(request), *place, std::move(command),
                              [this, call, place = *place, kind, channel, language = std::move(language)](
                                  const absl::StatusOr<service::Deletions::Stepped>& done) {
                                if (!done.ok()) return call->Finish(done.status());
                                ReportChange(kind, channel, dependencies_.observer);
                                if constexpr (requires { call->response()->set_already(true); }) {
                                  call->response()->set_already(done->already);
                                }
                                call->Finish(Read(place, language, call->response()->mutable_request()));
                              });
            });
}

void DeletionRpc::Get(const CallPtr<v1::GetDeletionRequestRequest, v1::GetDeletionRequestResponse>& call) {
  const auto deletion_id = wire::ReadGetDeletion(call->request());
  if (!deletion_id.ok()) return call->Finish(deletion_id.status());
  FinishOnPool(dependencies_, call, [this, call, id = *deletion_id]() -> absl::Status {
    const absl::StatusOr<service::DeletionPlace> place = deletions_.Find(id);
    return place.ok() ? Read(*place, call->request().language(), call->response()->mutable_request()) : place.status();
  });
}

void DeletionRpc::List(const CallPtr<v1::ListDeletionRequestsRequest, v1::ListDeletionRequestsResponse>& call) {
  auto query = wire::ReadListDeletions(call->request(), core_.hasher);
  if (!query.ok()) return call->Finish(query.status());
  const Peer& reader = call->peer();
  if (!query->has_subject && !reader.roles.Has(v1::ROLE_OFFICER) && !reader.roles.Has(v1::ROLE_AUDITOR)) {
    return call->Finish(wire::MakeError(v1::ERROR_REASON_ROLE_REQUIRED,
                                        "requests of all accounts are for officers and auditors: name an account_id"));
  }
  const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
  if (!from.ok()) return call->Finish(from.status());
  service::DeletionFilter filter;
  if (query->has_subject) filter.subject = query->subject;
  filter.states = query->states;
  filter.causes = query->causes;
  filter.due_before = query->due_before;
  filter.received_from = query->received_from;
  filter.received_before = query->received_before;
  filter.has_open_appeal = query->has_open_appeal;
  const auto limit = static_cast<size_t>(query->page_size);
  const std::string language = query->language;
  FinishOnPool(dependencies_, call, [this, call, filter, limit, language, from = *from]() -> absl::Status {
    const auto page = deletions_.List(filter, limit, service::DeletionPlace{from.partition, from.position});
    if (!page.ok()) return page.status();
    for (const service::DeletionView& view : page->requests) Write(view, language, call->response()->add_requests());
    if (page->next.has_value()) {
      const service::PageToken next{page->next->partition, page->next->number};
      call->response()->set_next_page_token(core_.tokens.Encode(next, ListingOf(call->request())));
    }
    return absl::OkStatus();
  });
}

}  // namespace consent::rpc
