// The whole command line of consentctl: the tree of its commands, and one run of it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>

#include "client/cli/command.h"

namespace consent::cli {

// All commands with their options and help, laid out in `columns`; each command's footer has its two examples. Parsing
// sets `cli` and its action. `cli` outlives what is returned.
std::unique_ptr<CLI::App> MakeCommandLine(Cli& cli, size_t columns);

// Parse, run, exit code. Prints help, version and what is wrong with the line.
int Run(int argc, const char* const* argv);

}  // namespace consent::cli
