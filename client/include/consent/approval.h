// Loosenings that take two persons: proposed by one, approved by another one. The protos document every bound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consent/ids.h"
#include "consent/types.h"

namespace consent {

struct Proposal {
  ProposalId proposal_id;
  ProposedAct act = ProposedAct::kUnset;
  ProposalState state = ProposalState::kUnset;
  std::string proposed_by;
  std::optional<Time> proposed_at;
  // Approved by then, or never.
  std::optional<Time> expires_at;
  // Who approved or withdrew it; empty: nobody yet.
  std::string decided_by;
  std::optional<Time> decided_at;
  // Of kFailed: the reason of the error.
  std::string failure;
  // 32 bytes.
  std::string request_hash;
  // Of a suspension that is to be lifted, or a hold that is to be released.
  std::string reason;
  Purpose purpose = Purpose::kUnset;
  std::string region;
  HoldId hold_id;
  std::string authority;
  // Of a policy that is to be activated, and the version that it would follow.
  std::string policy_version;
  std::string policy_hash;
  std::string follows;
  int loosens = 0;
  // As roles.proto names them, without prefix: of which whoever approves it needs one.
  std::vector<std::string> roles;
};

// A proposal with all that would be done.
struct ProposalDetails {
  Proposal proposal;
  // Of a policy, until the proposal has ended.
  std::string policy_json;
  std::vector<std::string> loosens;
};

struct ProposalQuery {
  // Those that have ended, too.
  bool include_ended = false;
  // 1 to 1,000; 0: 100.
  int page_size = 0;
  std::string page_token;
};

// The newest first.
struct ProposalPage {
  std::vector<Proposal> proposals;
  std::string next_page_token;
};

}  // namespace consent
