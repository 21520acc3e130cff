// RevokeReviews: ends every live grant of a reviewer, a site, a purpose, or all.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "daemon/domain/review.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/state/core.h"

namespace consent::service {

struct Revocation {
  domain::RevocationKind kind = domain::RevocationKind::kAll;
  domain::Purpose purpose = domain::Purpose::kNone;  // of kPurpose
  std::string name;                                  // of kSite and kReviewer; 1..64 bytes
  std::string reason;                                // 1..256 bytes
};

// Writes one row to every partition; finds no grant, because each remembers the row's number and asks for it at every
// use. In force in every partition on OK, since the time that is answered. After an error some partitions may have it:
// repeat it. Thread-safe; blocks. OVERLOADED, NOT_SERVING, OUTCOME_UNKNOWN.
absl::StatusOr<base::Instant> RevokeReviews(Core& core, const Revocation& revocation, const Caller& caller);

}  // namespace consent::service
