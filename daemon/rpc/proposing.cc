#include "daemon/rpc/proposing.h"

#include <array>
#include <utility>

#include "daemon/base/bytes.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/fields.h"

namespace consent::rpc {
namespace {

constexpr size_t kMaxErrorText = 1'000;  // of an error about a file, which a trailer holds three times

}  // namespace

bool WantsApproval(const absl::Status& status) {
  return !status.ok() && wire::DetailOf(status).reason == v1::ERROR_REASON_APPROVAL_REQUIRED;
}

const Method& MethodOf(service::ProposedAct act) {
  static const std::array<Method, 4> methods = {Method(nullptr), Method::Named("consent.v1.PolicyService.Resume"),
                                                Method::Named("consent.v1.HoldService.ReleaseHold"),
                                                Method::Named("consent.v1.PolicyService.ActivatePolicy")};
  return methods[static_cast<size_t>(act)];
}

absl::Status Propose(service::Proposals& proposals, const Proposer& proposer, service::ProposedAct act,
                     const google::protobuf::MessageLite& request, const v1::Proposal& summary,
                     const std::string& basis, v1::Proposal* out) {
  service::NewProposal proposed;
  proposed.act = act;
  proposed.by = proposer.person;
  proposed.request = request.SerializeAsString();
  proposed.summary = summary.SerializeAsString();
  proposed.basis = basis;
  const absl::StatusOr<service::ProposalView> view = proposals.Propose(proposed, proposer.caller);
  if (view.ok()) WriteProposal(*view, out);
  return view.status();
}

void WriteProposal(const service::ProposalView& view, v1::Proposal* out) {
  // What the daemon itself wrote when it was proposed.
  (void)out->ParseFromString(view.names.summary);
  out->set_proposal_id(base::IdText(view.row.id));
  out->set_act(static_cast<v1::ProposedAct>(view.row.act));
  out->set_state(static_cast<v1::ProposalState>(view.state));
  out->set_proposed_by(view.names.proposer.name);
  wire::WriteTimestamp(view.row.proposed_at, out->mutable_proposed_at());
  wire::WriteTimestamp(view.row.expires_at, out->mutable_expires_at());
  out->set_decided_by(view.names.decider.name);
  if (view.row.decided_at.IsSet()) wire::WriteTimestamp(view.row.decided_at, out->mutable_decided_at());
  out->set_failure(view.names.outcome);
  out->set_request_hash(view.row.request.data(), view.row.request.size());
  for (int role = v1::Role_MIN + 1; role <= v1::Role_MAX; ++role) {
    if (MethodOf(view.row.act).roles().Has(role)) out->add_roles(static_cast<v1::Role>(role));
  }
}

absl::StatusOr<policy::Document> ReadPolicyDocument(const std::string& json) {
  absl::StatusOr<policy::Document> document = policy::Document::Parse(json);
  absl::Status status = document.status();
  if (status.ok()) status = policy::CheckTimeZones(*document);
  if (status.ok()) return document;
  std::string text(status.message());
  if (text.size() > kMaxErrorText) text.replace(kMaxErrorText - 4, std::string::npos, " ...");
  return wire::FieldError("policy_json", std::move(text));
}

std::string EncodeBasis(base::Instant activated_at) {
  std::string basis;
  base::Encoder(&basis).BigEndian(static_cast<uint64_t>(activated_at.micros), 8);
  return basis;
}

base::Instant DecodeBasis(std::string_view basis) {
  base::Decoder in(basis);
  const base::Instant activated_at{static_cast<int64_t>(in.BigEndian(8))};
  return in.Done() ? activated_at : base::Instant{};
}

}  // namespace consent::rpc
