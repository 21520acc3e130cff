// Fills the facts index and the gauges from the store at start.
#pragma once

#include "absl/status/status.h"
#include "daemon/service/state/context.h"

namespace consent::service {

// Once, after PolicyAdmin::Load and before the context is ready. Two threads. DataLoss where a row cannot be decoded:
// then nothing may be served, because a missing refusal would read as none.
absl::Status FillIndex(Context& context);

// Drops idempotency rows older than their lifetime; at most `limit` a call. Returns how many. For a background thread.
absl::StatusOr<size_t> DropExpiredRequests(Context& context, size_t limit);

}  // namespace consent::service
