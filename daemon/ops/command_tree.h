// The daemon's commands and options as one CLI11 tree, for pages about them; the daemon itself parses by config.h.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

namespace consent::ops {

std::shared_ptr<CLI::App> MakeCommandTree();

}  // namespace consent::ops
