// What a submission leaves that came too late: a deletion request for the one draft, of the data systems that hold what
// reviewers write. Private to this room.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/domain/review.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/review/grounds.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// One use of a grant, as it was read: the row is there.
struct GrantUse {
  store::Partition partition;
  std::string key;
  StoredRow<GrantRow> stored;
  Grounds grounds;
  domain::GrantEnd end = domain::GrantEnd::kOtherGrant;  // kNone: it may be used
};

// Of a use that is refused and leaves a draft (domain::LeavesDraft). Makes the request and ends the grant for good, in
// one commit under all that the use was decided by. Once for each grant: of one that has its request nothing is
// written, but for the ids that a restore took from that. kCommitted, and nothing is written either, where no data
// system holds drafts, or nobody knows the ids any more: the account is forgotten. STORE_UNREADABLE, INTERNAL. Blocks.
absl::StatusOr<store::Outcome> PurgeLateDraft(Core& core, const GrantUse& use, const base::Digest& digest,
                                              const Caller& caller);

}  // namespace consent::service
