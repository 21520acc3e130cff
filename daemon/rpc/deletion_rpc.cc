#include "daemon/rpc/deletion_rpc.h"

#include <utility>

#include "daemon/rpc/changes.h"
#include "daemon/rpc/listing.h"
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

absl::StatusOr<service::DeletionPlace> DeletionRpc::PlaceOf(const std::string& deletion_id) const {
  service::Revision revision;
  if (core_.tokens.Decode(deletion_id, &revision, service::TokenUse::kDeletion)) {
    return service::DeletionPlace{revision.partition, revision.sequence};
  }
  return wire::MakeError(v1::ERROR_REASON_DELETION_NOT_FOUND, "there is no deletion request of that deletion_id");
}

void DeletionRpc::Write(const service::DeletionView& view, v1::DeletionRequest* out) const {
  std::vector<wire::SystemName> names;
  for (const service::SystemRow& system : systems_.List()) names.emplace_back(system.number, system.name);
  wire::WriteDeletion(
      view.request, view.on_hold,
      core_.tokens.Encode({view.place.partition, view.place.number}, service::TokenUse::kDeletion),
      core_.tokens.Encode({view.place.partition, view.request.changed}, service::TokenUse::kDeletionEtag), names,
      core_.Now(), out);
  if (!view.payload.has_value()) return;
  out->set_account_id(view.payload->account_id);
  out->mutable_selector()->ParseFromString(view.payload->selector);
}

absl::Status DeletionRpc::Read(service::DeletionPlace place, v1::DeletionRequest* out) const {
  const absl::StatusOr<service::DeletionView> view = deletions_.Get(place);
  if (view.ok()) Write(*view, out);
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
  auto request =
      ToChangeRequest(core_, call->caller(), service::ChangeKind::kDeletionReceived, std::move(input->change));
  const domain::Channel channel = request.command.proof.channel;
  deletions_.Create(std::move(request), std::move(deletion),
                    [this, call, channel](absl::StatusOr<service::Deletions::Created> created) {
                      if (!created.ok()) return call->Finish(created.status());
                      ReportChange(service::ChangeKind::kDeletionReceived, channel, dependencies_.observer);
                      call->response()->set_created(created->created);
                      call->response()->set_revision(created->revision);
                      call->response()->set_account_closed(created->account_closed);
                      call->response()->set_subject_is_new(created->subject_is_new);
                      if (!created->unusable.empty()) call->response()->set_unusable(created->unusable);
                      call->Finish(Read(created->place, call->response()->mutable_request()));
                    });
}

template <typename CallPtrT>
void DeletionRpc::Step(CallPtrT call, wire::DeletionStepInput input) {
  const absl::StatusOr<service::DeletionPlace> place = PlaceOf(input.deletion_id);
  if (!place.ok()) return call->Finish(place.status());
  const service::ChangeKind kind = service::KindOf(input.command.step);
  const std::string etag = std::exchange(input.change.etag, std::string());
  auto request = ToChangeRequest(core_, call->caller(), kind, std::move(input.change));
  if (!etag.empty()) {
    service::Revision revision;
    const bool ours = core_.tokens.Decode(etag, &revision, service::TokenUse::kDeletionEtag) &&
                      revision.partition == place->partition;
    request.command.expected_revision = ours ? revision.sequence : UINT64_MAX;
  }
  const bool posted = dependencies_.readers.Post(
      [this, call, place = *place, kind, command = std::move(input.command), request = std::move(request)]() mutable {
        const domain::Channel channel = request.command.proof.channel;
        deletions_.Step(std::move(request), place, std::move(command),
                        [this, call, place, kind, channel](const absl::StatusOr<service::Deletions::Stepped>& done) {
                          if (!done.ok()) return call->Finish(done.status());
                          ReportChange(kind, channel, dependencies_.observer);
                          if constexpr (requires { call->response()->set_already(true); }) {
                            call->response()->set_already(done->already);
                          }
                          call->Finish(Read(place, call->response()->mutable_request()));
                        });
      });
  if (!posted) call->Finish(OverloadedError());
}

void DeletionRpc::Get(const CallPtr<v1::GetDeletionRequestRequest, v1::GetDeletionRequestResponse>& call) {
  const auto deletion_id = wire::ReadGetDeletion(call->request());
  if (!deletion_id.ok()) return call->Finish(deletion_id.status());
  const absl::StatusOr<service::DeletionPlace> place = PlaceOf(*deletion_id);
  if (!place.ok()) return call->Finish(place.status());
  FinishOnPool(dependencies_, call,
               [this, call, place = *place] { return Read(place, call->response()->mutable_request()); });
}

void DeletionRpc::List(const CallPtr<v1::ListDeletionRequestsRequest, v1::ListDeletionRequestsResponse>& call) {
  auto query = wire::ReadListDeletions(call->request(), core_.hasher);
  if (!query.ok()) return call->Finish(query.status());
  service::Revision from;
  if (!query->page_token.empty() &&
      !core_.tokens.Decode(query->page_token, &from, service::TokenUse::kPage, ListingOf(call->request()))) {
    return call->Finish(wire::FieldError("page_token", "not a token that this listing gave"));
  }
  service::DeletionFilter filter;
  if (query->has_subject) filter.subject = query->subject;
  filter.states = query->states;
  filter.causes = query->causes;
  filter.due_before = query->due_before;
  filter.received_from = query->received_from;
  filter.received_before = query->received_before;
  const auto limit = static_cast<size_t>(query->page_size);
  FinishOnPool(dependencies_, call, [this, call, filter, limit, from]() -> absl::Status {
    const auto page = deletions_.List(filter, limit, service::DeletionPlace{from.partition, from.sequence});
    if (!page.ok()) return page.status();
    for (const service::DeletionView& view : page->requests) Write(view, call->response()->add_requests());
    if (page->next.has_value()) {
      call->response()->set_next_page_token(core_.tokens.Encode({page->next->partition, page->next->number},
                                                                service::TokenUse::kPage, ListingOf(call->request())));
    }
    return absl::OkStatus();
  });
}

}  // namespace consent::rpc
