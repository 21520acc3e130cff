// The command of `requests` that counts.
#pragma once

#include "client/cli/command.h"

namespace consent::cli {

void AddRequestsReport(CLI::App* parent, Cli& cli);

}  // namespace consent::cli
