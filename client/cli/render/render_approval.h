// Proposals as JSON objects and tables.
#pragma once

#include <string>
#include <vector>

#include "client/cli/output.h"
#include "consent/approval.h"

namespace consent::cli {

Json ProposalJson(const Proposal& proposal);
// One line for each.
Table ProposalsTable(const std::vector<Proposal>& proposals);
// What it is about, in a few words: "HUMAN_REVIEW in DE".
std::string SubjectOf(const Proposal& proposal);

// What was asked for takes a second person, so nothing is done yet: the proposal, and what has to happen now.
void TellProposal(const Proposal& proposal, Report* report);

}  // namespace consent::cli
