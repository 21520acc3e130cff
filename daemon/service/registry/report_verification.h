// Keeps what a verification of the decision log found.
#pragma once

#include "absl/status/status.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/rows/verification_row.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Durable on return; takes the place of the report before, but for when one was last wrong. Times of the row are set
// here. STORE_UNREADABLE, INTERNAL, and those of OutcomeStatus. Thread-safe; blocks.
absl::Status ReportVerification(Core& core, const VerificationRow& found, const Caller& caller);

}  // namespace consent::service
