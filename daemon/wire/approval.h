// ApprovalService: requests to plain values.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "consent/v1/approval_service.pb.h"
#include "daemon/base/random_id.h"

namespace consent::wire {

struct ProposalsQuery {
  bool include_ended = false;
  int page_size = 0;
  std::string page_token;
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
absl::StatusOr<ProposalsQuery> ReadListProposals(const v1::ListProposalsRequest& request);
// Of the others: nothing where the text is no id, which names no proposal.
absl::StatusOr<std::optional<base::ProposalId>> ReadProposalId(const v1::GetProposalRequest& request);
absl::StatusOr<std::optional<base::ProposalId>> ReadProposalId(const v1::ApproveProposalRequest& request);
absl::StatusOr<std::optional<base::ProposalId>> ReadProposalId(const v1::WithdrawProposalRequest& request);

}  // namespace consent::wire
