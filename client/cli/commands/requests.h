// The commands of `requests` that read many: they count, draw and list.
#pragma once

#include <chrono>
#include <functional>

#include "client/cli/command.h"
#include "client/cli/engines/deletion_tally.h"

namespace consent::cli {

// No request is due later.
inline constexpr Time kAfterEveryDueTime = std::chrono::sys_days(std::chrono::year(9999) / 1 / 1);

// Reads page by page what the tally's figures need: requests that somebody asked for, received before its period ends,
// and those received later that are open. The tally is of no use where that fails.
absl::Status CountRequests(Client& client, DeletionTally* tally);
// Reads all pages of `query`, and only requests that somebody asked for.
absl::Status ReadRequestPages(Client& client, DeletionQuery query,
                              const std::function<void(const DeletionRequest&)>& visit);
void AddRequestsReport(CLI::App* parent, Cli& cli);
// The commands of `requests` about appeals and complaints.
void AddAppeals(CLI::App* parent, Cli& cli);
void AddRequestsSample(CLI::App* parent, Cli& cli);
void AddRequestsOverdue(CLI::App* parent, Cli& cli);

}  // namespace consent::cli
