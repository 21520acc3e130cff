// How many appeals and complaints are open, and until when each must be acknowledged and answered: for metrics. Follows
// the rows of deletion requests; rebuilt at the start.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>

#include "daemon/base/mutex.h"
#include "daemon/domain/deletion.h"
#include "daemon/service/state/deletion_place.h"

namespace consent::service {

// Thread-safe.
class AppealGauges {
 public:
  // Of a request that was read at the start or written: what its open appeal is due for, in place of what was known.
  void Put(DeletionPlace place, const domain::DeletionRequest& request);

  uint64_t open() const;
  // Those that must be done before `time` (domain::DeadlineOf) and are not.
  uint64_t CountBefore(domain::AppealDeadline kind, base::Instant time) const;

 private:
  using Due = std::array<base::Instant, domain::kAppealDeadlines.size()>;  // by AppealDeadline; unset: done

  mutable base::Mutex mutex_;
  std::map<DeletionPlace, Due> open_ GUARDED_BY(mutex_);
  std::array<std::multiset<base::Instant>, domain::kAppealDeadlines.size()> deadlines_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
