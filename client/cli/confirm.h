// A question before what cannot be taken back.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace consent::cli {

// --yes.
void AddYes(CLI::App* app, bool* yes);

// True where it may be done: with `yes`, or where nobody sits there to be asked (standard input or standard error is no
// terminal), so that scripts never wait. Else asks "`what` Go on? [y/N]" on standard error; what is neither `y` nor
// `yes` is a no, and so is the end of the input. After a no says that nothing was done; end with kStopped then.
bool IsConfirmed(const std::string& what, bool yes);

}  // namespace consent::cli
