// When a call is repeated, and how long to wait before. No gRPC.
#pragma once

#include <chrono>
#include <functional>

#include "absl/status/status.h"
#include "consent/client.h"

namespace consent {

// True for the failures after which the same call may succeed.
bool WorthRepeating(const absl::Status& status);

// The wait before attempt `next` (2 for the first repetition), drawn between half and all of its bound.
std::chrono::nanoseconds Backoff(const RetryPolicy& policy, int next, Random& random);

// The wait before a repetition is the one that the daemon asks for, and a backoff more: else all that it turned away
// would come back at once. Calls `attempt` with the time it may take until it succeeds, fails for good, attempts are
// used up or the deadline would pass during the next wait. Returns the last attempt's status. If not `repeatable`,
// repeats it only after NOT_SERVING, which the daemon says before it does anything.
absl::Status CallWithRetries(const RetryPolicy& policy, bool repeatable, std::chrono::milliseconds deadline,
                             Clock& clock, Random& random,
                             const std::function<absl::Status(std::chrono::nanoseconds)>& attempt);

}  // namespace consent
