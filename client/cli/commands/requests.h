// The commands of `requests` that have files of their own.
#pragma once

#include "client/cli/command.h"
#include "client/cli/engines/deletion_tally.h"

namespace consent::cli {

// Reads page by page what the tally's figures need: requests that somebody asked for, received before its period ends,
// and those received later that are open. The tally is of no use where that fails.
absl::Status CountRequests(Client& client, DeletionTally* tally);
void AddRequestsReport(CLI::App* parent, Cli& cli);
// The commands of `requests` about appeals and complaints.
void AddAppeals(CLI::App* parent, Cli& cli);

}  // namespace consent::cli
