// ApprovalService on gRPC.
#pragma once

#include <functional>
#include <optional>

#include "consent/v1/approval_service.grpc.pb.h"
#include "daemon/rpc/raw_service.h"
#include "daemon/service/deletion/holds.h"
#include "daemon/service/registry/policy_admin.h"
#include "daemon/service/registry/proposals.h"
#include "daemon/service/state/core.h"

namespace consent::rpc {

// Carries out what was proposed by the very use cases of the RPCs that propose. Thread-safe; the references outlive the
// server.
class ApprovalRpc final : public RawService<v1::ApprovalService> {
 public:
  ApprovalRpc(const service::Core& core, service::Proposals& proposals, service::PolicyAdmin& policies,
              service::Holds& holds, const RpcDependencies& dependencies);

 private:
  using ApproveCall = CallPtr<v1::ApproveProposalRequest, v1::ApproveProposalResponse>;
  using WithdrawCall = CallPtr<v1::WithdrawProposalRequest, v1::WithdrawProposalResponse>;
  using Done = std::function<void(const absl::Status&)>;

  void List(const CallPtr<v1::ListProposalsRequest, v1::ListProposalsResponse>& call);
  void Get(const CallPtr<v1::GetProposalRequest, v1::GetProposalResponse>& call);
  void Approve(const ApproveCall& call);
  void Withdraw(const WithdrawCall& call);
  // PROPOSAL_NOT_FOUND; ROLE_REQUIRED where the peer may not do what is proposed.
  absl::Status MayDecide(const Peer& peer, const std::optional<base::ProposalId>& id) const;
  // `done` hears how it ended, on any thread.
  void CarryOut(const ApproveCall& call, const service::ApprovedProposal& approved, Done done);
  absl::Status Resume(const ApproveCall& call, const service::ApprovedProposal& approved);
  absl::Status Activate(const ApproveCall& call, const service::ApprovedProposal& approved);
  void Release(const ApproveCall& call, const service::ApprovedProposal& approved, Done done);
  // Says how it ended, and answers.
  void Finish(const ApproveCall& call, const base::ProposalId& id, const absl::Status& outcome);

  const service::Core& core_;
  service::Proposals& proposals_;
  service::PolicyAdmin& policies_;
  service::Holds& holds_;
};

}  // namespace consent::rpc
