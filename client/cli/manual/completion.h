// Completion of a program's command line in shells, made of its commands. The scripts hold all that they offer: nothing
// is run and no daemon is asked when somebody presses the key.
#pragma once

#include <string>

#include "client/cli/manual/command_tree.h"

namespace consent::cli {

// For bash 4 and later; needs nothing of bash-completion.
std::string BashCompletion(const ManualCommand& program);
// For zsh 5, as the file `_NAME` of a folder of its fpath, or evaluated after compinit.
std::string ZshCompletion(const ManualCommand& program);

}  // namespace consent::cli
