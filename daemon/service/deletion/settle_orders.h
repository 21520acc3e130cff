// Deletion requests that were received while the time was in doubt get their ends and deadlines once it is trusted
// again.
#pragma once

#include "absl/status/status.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

// Where the time is trusted: settles every request that waits for it, as a change of its subject, and its tasks can be
// handed out. Within the boot in which it was received that moment is told by the boot clock. Over a reboot it was
// surely received by the last stamp that had been trusted then, and perhaps as late as now. Does nothing while the time
// is in doubt or none waits. Blocks; call it on a thread of its own, one at a time. What could not be settled is tried
// again by the next call. `settled`: how many were.
absl::Status SettleOrders(Core& core, ChangeSubject& changes, size_t* settled);

}  // namespace consent::service
