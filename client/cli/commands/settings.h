// The commands of `settings` that look back or at many.
#pragma once

#include "client/cli/command.h"

namespace consent::cli {

void AddHistory(CLI::App* parent, Cli& cli);
void AddAt(CLI::App* parent, Cli& cli);
void AddOptOuts(CLI::App* parent, Cli& cli);

}  // namespace consent::cli
