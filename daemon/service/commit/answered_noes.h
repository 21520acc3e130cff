// What the history says of the noes that a command's yeses answer, and the record does not: that one was said again.
#pragma once

#include "absl/status/status.h"
#include "daemon/base/ids.h"
#include "daemon/domain/transitions.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// How many of a subject's changes are read to find out whether a no was said again since.
inline constexpr int kMostChangesSinceANo = 256;

// Reads the subject's history from its newest change, `facts.revision`, back to the first no that a yes of `command`
// names as answered, and tells the command which noes were said again (domain::NoteRefusedAgain). Where that takes more
// than kMostChangesSinceANo, or the history does not reach back so far, every such yes counts as late. Costs nothing
// where no yes names a no. Blocks. The subject's record is to be a precondition of what is decided by it.
// STORE_UNREADABLE.
absl::Status ReadRefusedAgain(const Core& core, base::SubjectHandle subject, const domain::SubjectFacts& facts,
                              const domain::Rules& rules, domain::Command* command);

}  // namespace consent::service
