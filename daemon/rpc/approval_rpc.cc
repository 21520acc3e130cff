#include "daemon/rpc/approval_rpc.h"

#include <string>
#include <utility>

#include "consent/v1/hold_service.pb.h"
#include "consent/v1/policy_service.pb.h"
#include "daemon/rpc/changes.h"
#include "daemon/rpc/hold_release.h"
#include "daemon/rpc/listing.h"
#include "daemon/rpc/proposing.h"
#include "daemon/wire/approval.h"
#include "daemon/wire/policy.h"

namespace consent::rpc {
namespace {

// What the daemon stored of a request that it had read before.
template <typename RequestT>
absl::StatusOr<RequestT> ParseProposed(const std::string& bytes) {
  RequestT request;
  if (request.ParseFromString(bytes)) return request;
  return absl::InternalError("what was proposed cannot be read");
}

}  // namespace

ApprovalRpc::ApprovalRpc(const service::Core& core, service::Proposals& proposals, service::PolicyAdmin& policies,
                         service::Holds& holds, const RpcDependencies& dependencies)
    : RawService(dependencies), core_(core), proposals_(proposals), policies_(policies), holds_(holds) {
  Serve<v1::ListProposalsRequest, v1::ListProposalsResponse>("ListProposals", [this](const auto& call) { List(call); });
  Serve<v1::GetProposalRequest, v1::GetProposalResponse>("GetProposal", [this](const auto& call) { Get(call); });
  Serve<v1::ApproveProposalRequest, v1::ApproveProposalResponse>("ApproveProposal",
                                                                 [this](const auto& call) { Approve(call); });
  Serve<v1::WithdrawProposalRequest, v1::WithdrawProposalResponse>("WithdrawProposal",
                                                                   [this](const auto& call) { Withdraw(call); });
}

absl::Status ApprovalRpc::MayDecide(const Peer& peer, const std::optional<base::ProposalId>& id) const {
  if (!id.has_value()) return service::NoSuchProposal();
  const absl::StatusOr<service::ProposalView> view = proposals_.Get(*id);
  return view.ok() ? Authorize(peer, MethodOf(view->row.act)) : view.status();
}

void ApprovalRpc::List(const CallPtr<v1::ListProposalsRequest, v1::ListProposalsResponse>& call) {
  const auto query = wire::ReadListProposals(call->request());
  if (!query.ok()) return call->Finish(query.status());
  const auto from = ReadPageToken(core_.tokens, query->page_token, call->request());
  if (!from.ok()) return call->Finish(from.status());
  const base::Instant until =
      query->page_token.empty() ? base::kEndOfTime : base::Instant{static_cast<int64_t>(from->position)};
  FinishOnPool(dependencies_, call, [this, call, query = *query, until]() -> absl::Status {
    const auto page_size = static_cast<size_t>(query.page_size);
    const auto views = proposals_.List(until, query.include_ended, page_size + 1);
    if (!views.ok()) return views.status();
    v1::ListProposalsResponse* const response = call->response();
    for (const service::ProposalView& view : *views) {
      if (static_cast<size_t>(response->proposals_size()) == page_size) {
        const service::PageToken next{{}, static_cast<uint64_t>(view.row.proposed_at.micros)};
        response->set_next_page_token(core_.tokens.Encode(next, ListingOf(call->request())));
        break;
      }
      WriteProposal(view, response->add_proposals());
    }
    return absl::OkStatus();
  });
}

void ApprovalRpc::Get(const CallPtr<v1::GetProposalRequest, v1::GetProposalResponse>& call) {
  const auto id = wire::ReadProposalId(call->request());
  if (!id.ok()) return call->Finish(id.status());
  FinishOnPool(dependencies_, call, [this, call, id = *id]() -> absl::Status {
    if (!id.has_value()) return service::NoSuchProposal();
    std::string request;
    const absl::StatusOr<service::ProposalView> view = proposals_.Get(*id, &request);
    if (!view.ok()) return view.status();
    v1::GetProposalResponse* const response = call->response();
    WriteProposal(*view, response->mutable_proposal());
    if (view->row.act != service::ProposedAct::kActivatePolicy || request.empty()) return absl::OkStatus();
    auto activation = ParseProposed<v1::ActivatePolicyRequest>(request);
    if (!activation.ok()) return activation.status();
    response->set_policy_json(std::move(*activation->mutable_policy_json()));
    response->mutable_loosens()->Swap(activation->mutable_loosens());
    return absl::OkStatus();
  });
}

void ApprovalRpc::Approve(const ApproveCall& call) {
  const auto id = wire::ReadProposalId(call->request());
  if (!id.ok()) return call->Finish(id.status());
  RunOnPoolIfAwaited(dependencies_, call, [this, call, id = *id] {
    if (absl::Status may = MayDecide(call->peer(), id); !may.ok()) return call->Finish(may);
    const auto approved = proposals_.Approve(*id, call->person(), call->caller());
    if (!approved.ok()) return call->Finish(approved.status());
    if (approved->view.state == service::ProposalState::kDone) return Finish(call, *id, absl::OkStatus());
    CarryOut(call, *approved, [this, call, id = *id](const absl::Status& outcome) {
      RunOnPool(dependencies_, call, [this, call, id, outcome] { Finish(call, id, outcome); });
    });
  });
}

void ApprovalRpc::Finish(const ApproveCall& call, const base::ProposalId& id, const absl::Status& outcome) {
  const absl::StatusOr<service::ProposalView> view = proposals_.End(id, outcome, call->caller());
  if (outcome.ok() && view.ok()) WriteProposal(*view, call->response()->mutable_proposal());
  call->Finish(outcome.ok() ? view.status() : outcome);
}

void ApprovalRpc::CarryOut(const ApproveCall& call, const service::ApprovedProposal& approved, Done done) {
  switch (approved.view.row.act) {
    case service::ProposedAct::kResume:
      return done(Resume(call, approved));
    case service::ProposedAct::kActivatePolicy:
      return done(Activate(call, approved));
    case service::ProposedAct::kReleaseHold:
      return Release(call, approved, std::move(done));
    case service::ProposedAct::kNone:
      break;
  }
  done(absl::InternalError("a proposal of nothing"));
}

absl::Status ApprovalRpc::Resume(const ApproveCall& call, const service::ApprovedProposal& approved) {
  const auto request = ParseProposed<v1::ResumeRequest>(approved.request);
  if (!request.ok()) return request.status();
  auto input = wire::ReadResume(*request);
  if (!input.ok()) return input.status();
  return policies_
      .Resume({input->purpose, input->region, std::move(input->reason), std::move(input->etag), approved.approval},
              call->caller())
      .status();
}

absl::Status ApprovalRpc::Activate(const ApproveCall& call, const service::ApprovedProposal& approved) {
  const auto request = ParseProposed<v1::ActivatePolicyRequest>(approved.request);
  if (!request.ok()) return request.status();
  auto input = wire::ReadActivatePolicy(*request);
  if (!input.ok()) return input.status();
  const absl::StatusOr<policy::Document> document = ReadPolicyDocument(input->policy_json);
  if (!document.ok()) return document.status();
  return policies_.Activate(*document, {call->caller().identity, std::move(input->loosens), approved.approval,
                                        DecodeBasis(approved.view.row.basis)});
}

void ApprovalRpc::Release(const ApproveCall& call, const service::ApprovedProposal& approved, Done done) {
  const auto request = ParseProposed<v1::ReleaseHoldRequest>(approved.request);
  if (!request.ok()) return done(request.status());
  absl::StatusOr<HoldReleaseCall> release = ReadHoldRelease(core_, call->caller(), *request);
  if (!release.ok()) return done(release.status());
  const absl::StatusOr<service::HoldPlace> place = holds_.Find(release->hold_id);
  if (!place.ok()) return done(place.status());
  // So that what was done is not done again for who repeats the approval.
  release->change.request_id = base::IdText(approved.approval.proposal);
  release->release.approval = approved.approval;
  const domain::Channel channel = release->change.command.proof.channel;
  holds_.Release(std::move(release->change), *place, std::move(release->release),
                 [this, channel, done = std::move(done)](const absl::Status& outcome) {
                   if (outcome.ok()) {
                     ReportChange(service::ChangeKind::kHoldReleased, channel, dependencies_.observer);
                   }
                   done(outcome);
                 });
}

void ApprovalRpc::Withdraw(const WithdrawCall& call) {
  const auto id = wire::ReadProposalId(call->request());
  if (!id.ok()) return call->Finish(id.status());
  FinishOnPool(dependencies_, call, [this, call, id = *id]() -> absl::Status {
    if (absl::Status may = MayDecide(call->peer(), id); !may.ok()) return may;
    const auto view = proposals_.Withdraw(*id, call->person(), call->caller());
    if (view.ok()) WriteProposal(*view, call->response()->mutable_proposal());
    return view.status();
  });
}

}  // namespace consent::rpc
