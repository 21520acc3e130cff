// The whole command line of consentctl: the tree of its commands.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>

#include "client/cli/command.h"

namespace consent::cli {

// All commands with their options and help. Parsing sets `cli` and its action. `cli` outlives what is returned.
std::unique_ptr<CLI::App> MakeCommandLine(Cli& cli, size_t columns);

}  // namespace consent::cli
