// Two examples for each command: shown at the foot of its help, and read by whoever makes other pages of them.
#pragma once

#include <string_view>
#include <vector>

namespace consent::cli {

struct Example {
  // "settings set"; empty for the program.
  const char* command;
  // As typed in a shell.
  const char* line;
  // What it does, in a few words without a full stop.
  const char* what;
};

// All, those of one command beside one another. Every command that has no further ones has two, and so has the program;
// a test types each.
const std::vector<Example>& Examples();

// Of the command: its own, or where it only has further commands, the first of each of the first two that it has.
std::vector<Example> ExamplesOf(std::string_view command);

}  // namespace consent::cli
