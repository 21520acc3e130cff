// What the rows of deletion requests and purge tasks mean for their gauges and for the task queue.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "daemon/service/purge/task_queue.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// False: a row is damaged. Call it after FollowSubjects: a worker that it wakes reads the record.
bool FollowDeletions(Core& core, TaskQueue& queue, const store::Committed& committed);

// At the start: what the partition's rows say, before anything is committed there. May block. STORE_UNREADABLE,
// INTERNAL.
absl::Status FillDeletions(Core& core, TaskQueue& queue, store::Partition partition);

}  // namespace consent::service
