// What a hold means for all accounts that are joined with the one that it is on.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/rows/hold_rows.h"

namespace consent::service {

// A lease that was out when a hold was placed over some of what it handed out, and whose worker has not reported since.
struct LeaseOut {
  domain::SystemNumber system = 0;
  base::Instant until;
};

// Those of the hold's account, placed at `placed` of its partition, and of all that are joined with it. Blocks.
absl::StatusOr<std::vector<LeaseOut>> LeasesOut(const Core& core, store::Sequence placed, const HoldRow& hold);

// Tells `accounts`, which are joined with one, that its holds have changed: no commit covers all of them. Changes each,
// one after the other, so that leases which a hold of the group covers are taken back and what waited for one is due
// (SubjectFacts::holds_changed). May be done again. `like` has the caller and the kind under which it stands in their
// histories. An account that is closed and forgotten has nothing to hold. `done` is called once, as ChangeDone; the
// first failure ends it. `changes` outlives it.
void TellOfHolds(ChangeSubject& changes, std::vector<base::SubjectHandle> accounts, const ChangeRequest& like,
                 std::function<void(absl::Status)> done);
// The same of all accounts that are joined with `like.subject`. Blocks for reading.
void TellGroupOfHolds(const Core& core, ChangeSubject& changes, const ChangeRequest& like,
                      std::function<void(absl::Status)> done);

}  // namespace consent::service
