// What the RPCs share that may take two persons: from a request that one person may not carry out to a proposal, and
// back to the request when another person approves it.
#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message_lite.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/v1/approval_service.pb.h"
#include "daemon/policy/document.h"
#include "daemon/rpc/authorize.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/registry/proposals.h"

namespace consent::rpc {

// Nothing but a second person is lacking.
bool WantsApproval(const absl::Status& status);

// The RPC that does what is proposed.
const Method& MethodOf(service::ProposedAct act);

// Who proposes, and through whose call.
struct Proposer {
  service::Person person;
  const service::Caller& caller;
};

// Proposes what `request`'s bytes ask for, and writes the proposal. `summary` has what lists show of the request.
// Blocks.
absl::Status Propose(service::Proposals& proposals, const Proposer& proposer, service::ProposedAct act,
                     const google::protobuf::MessageLite& request, const v1::Proposal& summary,
                     const std::string& basis, v1::Proposal* out);
void WriteProposal(const service::ProposalView& view, v1::Proposal* out);

// A policy that was sent. INVALID_FIELD.
absl::StatusOr<policy::Document> ReadPolicyDocument(const std::string& json);

// What the activation of a policy rests on: the one in force, by the time of its activation.
std::string EncodeBasis(base::Instant activated_at);
base::Instant DecodeBasis(std::string_view basis);

}  // namespace consent::rpc
