// Refusals of the transitions, as errors of the API. Pure; thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "daemon/base/time.h"
#include "daemon/domain/transitions.h"

namespace consent::service {

// Where a part stands in the request, such as `changes[0]`, and what it is about, `changes[0].target`. Either may be
// empty: the request itself.
struct PartPath {
  std::string part;
  std::string target;
};

// The error of a part that was refused; where a field of it is at fault, that field's path.
absl::Status RefusalStatus(const domain::PartOutcome& part, const PartPath& at = {});
// Whether a loosening may be taken now: OK, CLOCK_DOUBTFUL, CLOCK_BEHIND.
absl::Status TimeToLoosen(const base::Now& now);
// APPROVAL_REQUIRED: nothing else is against a loosening, and the policy wants two persons for it.
absl::Status ApprovalRequired();

}  // namespace consent::service
