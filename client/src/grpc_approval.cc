// GrpcClient's calls for what takes two persons.
#include "absl/strings/strip.h"
#include "client/src/convert.h"
#include "client/src/grpc_client.h"
#include "consent/names.h"

namespace consent {

Proposal FromProto(const v1::Proposal& proposal) {
  Proposal value;
  value.proposal_id = ProposalId(proposal.proposal_id());
  value.act = FromNumber<ProposedAct>(proposal.act());
  value.state = FromNumber<ProposalState>(proposal.state());
  value.proposed_by = proposal.proposed_by();
  if (proposal.has_proposed_at()) value.proposed_at = FromProto(proposal.proposed_at());
  if (proposal.has_expires_at()) value.expires_at = FromProto(proposal.expires_at());
  value.decided_by = proposal.decided_by();
  if (proposal.has_decided_at()) value.decided_at = FromProto(proposal.decided_at());
  value.failure = proposal.failure();
  value.request_hash = proposal.request_hash();
  value.reason = proposal.reason();
  value.purpose = FromNumber<Purpose>(proposal.purpose());
  value.region = proposal.region();
  value.hold_id = HoldId(proposal.hold_id());
  value.authority = proposal.authority();
  value.policy_version = proposal.policy_version();
  value.policy_hash = proposal.policy_hash();
  value.follows = proposal.follows();
  value.loosens = proposal.loosens();
  for (const int role : proposal.roles()) {
    value.roles.emplace_back(absl::StripPrefix(v1::Role_Name(static_cast<v1::Role>(role)), "ROLE_"));
  }
  return value;
}

absl::StatusOr<ProposalPage> GrpcClient::ListProposals(const ProposalQuery& query, const CallOptions& options) {
  v1::ListProposalsRequest request;
  request.set_include_ended(query.include_ended);
  request.set_page_size(query.page_size);
  request.set_page_token(query.page_token);
  v1::ListProposalsResponse response;
  const absl::Status status =
      Call(options, true, *approval_, &v1::ApprovalService::Stub::ListProposals, request, &response);
  if (!status.ok()) return status;
  ProposalPage page;
  for (const v1::Proposal& proposal : response.proposals()) page.proposals.push_back(FromProto(proposal));
  page.next_page_token = response.next_page_token();
  return page;
}

absl::StatusOr<ProposalDetails> GrpcClient::GetProposal(const ProposalId& proposal, const CallOptions& options) {
  v1::GetProposalRequest request;
  request.set_proposal_id(proposal.value());
  v1::GetProposalResponse response;
  const absl::Status status =
      Call(options, true, *approval_, &v1::ApprovalService::Stub::GetProposal, request, &response);
  if (!status.ok()) return status;
  return ProposalDetails{
      FromProto(response.proposal()), response.policy_json(), {response.loosens().begin(), response.loosens().end()}};
}

absl::StatusOr<Proposal> GrpcClient::ApproveProposal(const ProposalId& proposal, const CallOptions& options) {
  v1::ApproveProposalRequest request;
  request.set_proposal_id(proposal.value());
  v1::ApproveProposalResponse response;
  const absl::Status status =
      Call(options, true, *approval_, &v1::ApprovalService::Stub::ApproveProposal, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.proposal());
}

absl::StatusOr<Proposal> GrpcClient::WithdrawProposal(const ProposalId& proposal, const CallOptions& options) {
  v1::WithdrawProposalRequest request;
  request.set_proposal_id(proposal.value());
  v1::WithdrawProposalResponse response;
  const absl::Status status =
      Call(options, true, *approval_, &v1::ApprovalService::Stub::WithdrawProposal, request, &response);
  if (!status.ok()) return status;
  return FromProto(response.proposal());
}

}  // namespace consent
