// The open tasks of one deletion request, for commits that end the request or change what it orders. Used by the hooks
// of deletions.
#pragma once

#include <string>
#include <vector>

#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/task_rows.h"

namespace consent::service {

// Used by one thread at a time.
class OpenTasksOf {
 public:
  // May block.
  absl::Status Load(const Core& core, DeletionPlace place, const domain::DeletionRequest& request);
  void AddPreconditions(std::vector<store::Precondition>& preconditions) const;
  void Delete(std::vector<store::Write>& writes) const;
  // Whoever has one of them leased loses the lease, and it is handed out again at once. For a request that now orders
  // less; a hold takes a lease back by itself (task_rows.h, IsTakenBack).
  void TakeBack(std::vector<store::Write>& writes) const;
  // The parts of `request` end as they stand: ACKNOWLEDGED where some was erased, else EXEMPT.
  void EndParts(const std::string& reason, domain::ExemptReason exempt, base::Instant now,
                domain::DeletionRequest* request) const;
  bool ErasedAny() const;

 private:
  struct One {
    domain::SystemNumber system;
    std::string bytes;
    TaskRow row;
    bool HasErased() const { return row.erased_count != 0 || row.first_outcome == domain::PurgeOutcome::kAcknowledged; }
  };
  DeletionPlace place_;
  std::vector<One> tasks_;
};

}  // namespace consent::service
