// Fills the facts index and the gauges from the store at start.
#pragma once

#include "absl/status/status.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Once, after PolicyAdmin::Load and before the core is ready. Two threads. DataLoss where a row cannot be decoded:
// then nothing may be served, because a missing refusal would read as none.
absl::Status FillIndex(Core& core);

// Drops idempotency rows older than their lifetime; at most `limit` a call. Returns how many. For a background thread.
absl::StatusOr<size_t> DropExpiredRequests(Core& core, size_t limit);

}  // namespace consent::service
