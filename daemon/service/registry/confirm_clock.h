// An operator vouches for the server's wall clock while it runs.
#pragma once

#include "absl/status/statusor.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// `stated` is the time by another clock. Durable on return; what waits for the time goes on within seconds.
// CLOCK_DISAGREES: the wall is further from it than TrustedClock::kConfirmed, and nothing is confirmed.
// STORE_UNREADABLE: confirmed, but the next process may not know. Thread-safe; blocks on I/O.
absl::StatusOr<base::TrustedClock::View> ConfirmClock(Core& core, base::Instant stated);

}  // namespace consent::service
