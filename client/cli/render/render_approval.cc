#include "client/cli/render/render_approval.h"

#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "consent/names.h"

namespace consent::cli {
namespace {

const char* WhatOf(ProposedAct act) {
  switch (act) {
    case ProposedAct::kResume:
      return "The purpose stays suspended";
    case ProposedAct::kReleaseHold:
      return "The hold stays in force";
    case ProposedAct::kActivatePolicy:
      return "The policy before it stays in force";
    case ProposedAct::kUnset:
      break;
  }
  return "Nothing is done";
}

std::string RolesText(const Proposal& proposal) {
  std::string text;
  for (const std::string& role : proposal.roles) text += (text.empty() ? "" : " or ") + role;
  return text;
}

}  // namespace

std::string SubjectOf(const Proposal& proposal) {
  switch (proposal.act) {
    case ProposedAct::kResume:
      if (proposal.purpose == Purpose::kUnset) return "all (restored)";
      return std::string(Name(proposal.purpose)) + (proposal.region.empty() ? " everywhere" : " in " + proposal.region);
    case ProposedAct::kReleaseHold:
      return proposal.hold_id.value();
    case ProposedAct::kActivatePolicy:
      return proposal.policy_version + " after " + proposal.follows;
    case ProposedAct::kUnset:
      break;
  }
  return "";
}

Json ProposalJson(const Proposal& proposal) {
  Json json = {{"proposal_id", proposal.proposal_id.value()},
               {"act", Name(proposal.act)},
               {"state", Name(proposal.state)},
               {"proposed_by", proposal.proposed_by},
               {"proposed_at", TimeText(proposal.proposed_at)},
               {"expires_at", TimeText(proposal.expires_at)},
               {"decided_by", proposal.decided_by},
               {"decided_at", TimeText(proposal.decided_at)},
               {"failure", proposal.failure},
               {"request_hash", HexText(proposal.request_hash)},
               {"reason", proposal.reason},
               {"roles", proposal.roles}};
  if (proposal.act == ProposedAct::kResume) {
    json["purpose"] = Name(proposal.purpose);
    json["region"] = proposal.region;
  } else if (proposal.act == ProposedAct::kReleaseHold) {
    json["hold_id"] = proposal.hold_id.value();
    json["authority"] = proposal.authority;
  } else if (proposal.act == ProposedAct::kActivatePolicy) {
    json["policy_version"] = proposal.policy_version;
    json["policy_hash"] = HexText(proposal.policy_hash);
    json["follows"] = proposal.follows;
    json["loosens"] = proposal.loosens;
  }
  return json;
}

Table ProposalsTable(const std::vector<Proposal>& proposals) {
  Table table("proposal", {"PROPOSAL", "STATE", "ACT", "WHAT", "PROPOSED BY", "PROPOSED", "EXPIRES", "DECIDED BY",
                           "DECIDED", "REASON", "FAILURE"});
  for (const Proposal& proposal : proposals) {
    table.Add({proposal.proposal_id.value(), std::string(Name(proposal.state)), std::string(Name(proposal.act)),
               SubjectOf(proposal), proposal.proposed_by, TimeText(proposal.proposed_at), TimeText(proposal.expires_at),
               proposal.decided_by, TimeText(proposal.decided_at), proposal.reason, proposal.failure});
  }
  return table;
}

void TellProposal(const Proposal& proposal, Report* report) {
  const std::string id = proposal.proposal_id.value();
  report->json["proposal"] = ProposalJson(proposal);
  report->tables.push_back(ProposalsTable({proposal}));
  Table next("next", {"NOT DONE YET"});
  next.Add({std::string(WhatOf(proposal.act)) + " until another person than " + proposal.proposed_by +
            " approves the proposal, with the role " + RolesText(proposal) + ", by " + TimeText(proposal.expires_at) +
            ":"});
  next.Add({"consentctl approvals approve " + id});
  next.Add(
      {"Who proposed it by a certificate needs somebody of another entry of the callers' file, with another "
       "certificate; who did by a Unix socket needs another user."});
  next.Add({"To take it back: consentctl approvals withdraw " + id});
  report->tables.push_back(next);
}

}  // namespace consent::cli
