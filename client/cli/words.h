// Follows the words of a command line down the tree of commands, before they are parsed: what nobody knows is named,
// with what was perhaps meant.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace consent::cli {

struct ReachedCommand {
  // How far the words lead.
  const CLI::App* command = nullptr;
  // What is wrong with the next word, where something is: "unknown command 'setings'; did you mean 'settings'?".
  std::string problem;
  // One of the words asks for help, or for the version.
  bool help = false;
};

// `arguments` without the program's name. Looks at commands and at the names of options; whatever else is wrong is
// found by parsing. What follows `--` is not looked at.
ReachedCommand FollowWords(const CLI::App& program, const std::vector<std::string>& arguments);

// The command of `words` ("settings", "set"); nullptr and *problem where there is none.
const CLI::App* FindCommand(const CLI::App& program, const std::vector<std::string>& words, std::string* problem);

// "consentctl settings set"
std::string FullName(const CLI::App& command);

// Its help.
std::string PageOf(const CLI::App& command);

}  // namespace consent::cli
