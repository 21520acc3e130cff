// Refusals of the transitions, as errors of the API. Pure; thread-safe.
#pragma once

#include "absl/status/status.h"
#include "daemon/base/time.h"
#include "daemon/domain/transitions.h"

namespace consent::service {

// The error of a part that was refused.
absl::Status RefusalStatus(const domain::PartOutcome& part);
// Whether a loosening may be taken now: OK, CLOCK_DOUBTFUL, CLOCK_BEHIND.
absl::Status TimeToLoosen(const base::Now& now);
// APPROVAL_REQUIRED: nothing else is against a loosening, and the policy wants two persons for it.
absl::Status ApprovalRequired();

}  // namespace consent::service
