// What records of subjects and rows of recordings mean for the facts index, the gauges of subjects and the open SAFETY
// flags.
#pragma once

#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// False: a row is damaged. In the order in which readers look at them: marks, tombstones, then the record.
bool FollowSubjects(Core& core, const store::Committed& committed);

}  // namespace consent::service
