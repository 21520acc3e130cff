#include "daemon/wire/approval.h"

#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

template <typename Request>
absl::StatusOr<std::optional<base::ProposalId>> ReadId(const Request& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckId(request.proposal_id(), Path(root, "proposal_id"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return base::ParseId<base::ProposalId>(request.proposal_id());
}

}  // namespace

absl::StatusOr<ProposalsQuery> ReadListProposals(const v1::ListProposalsRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return ProposalsQuery{request.include_ended(), request.page_size() == 0 ? kDefaultPageSize : request.page_size(),
                        request.page_token()};
}

absl::StatusOr<std::optional<base::ProposalId>> ReadProposalId(const v1::GetProposalRequest& request) {
  return ReadId(request);
}

absl::StatusOr<std::optional<base::ProposalId>> ReadProposalId(const v1::ApproveProposalRequest& request) {
  return ReadId(request);
}

absl::StatusOr<std::optional<base::ProposalId>> ReadProposalId(const v1::WithdrawProposalRequest& request) {
  return ReadId(request);
}

}  // namespace consent::wire
