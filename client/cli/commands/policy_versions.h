// The commands of `policy` about versions: what one would change, activating it, and which there were.
#pragma once

#include "client/cli/command.h"

namespace consent::cli {

void AddDiffPolicy(CLI::App* parent, Cli& cli);
void AddActivatePolicy(CLI::App* parent, Cli& cli);
void AddListPolicies(CLI::App* parent, Cli& cli);

}  // namespace consent::cli
