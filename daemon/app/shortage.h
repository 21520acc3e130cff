// What the process needs of the machine beside files: told before anything is made, and told where it runs out later.
#pragma once

#include <optional>

#include "daemon/app/exit_codes.h"
#include "daemon/ops/config.h"

namespace consent::app {

// Threads of their own for calls that can carry a restriction and may block.
inline constexpr int kRestrictionThreads = 2;
// And for uses of review grants: each waits for its own commit, and those that wait together share a sync.
inline constexpr int kGrantThreads = 32;

// Whether the threads, the address space and the descriptors that a start takes can be had now. The libraries below end
// the process, or wait for ever, where one is missing.
std::optional<Failure> CheckResources(const ops::ServeOptions& options);

// From here on, memory or a thread that cannot be had ends the process with one line and ExitCode::kShortage, and any
// other failed check with a line that says what it may mean. For the whole process, before other threads are made.
void TellShortages();

}  // namespace consent::app
