// How many appeals and complaints are open, and until when each must be acknowledged and answered: for metrics. Follows
// the rows of deletion requests; rebuilt at the start.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/base/time.h"
#include "daemon/domain/appeal.h"
#include "daemon/domain/deletion.h"
#include "daemon/service/state/deletion_place.h"
#include "daemon/service/state/due_counts.h"

namespace consent::service {

// The open ones of one kind under one regime of their requests.
struct OpenAppeals {
  domain::AppealKind kind = domain::AppealKind::kMissing;
  std::string regime;
  uint64_t appeals = 0;
  std::array<DueCount, domain::kAppealDeadlines.size()> deadlines{};  // by AppealDeadline
};

// Thread-safe.
class AppealGauges {
 public:
  // Of a request that was read at the start or written: what its open appeal is due for, in place of what was known.
  void Put(DeletionPlace place, const domain::DeletionRequest& request);

  // One for each kind and regime that has any, in that order. `near` and `far` are counted from `now` on.
  std::vector<OpenAppeals> Open(base::Instant now, base::Span near, base::Span far) const;

 private:
  using Kind = std::pair<domain::AppealKind, std::string>;  // and regime
  struct OfKind {
    uint64_t appeals = 0;
    std::array<DueCounts, domain::kAppealDeadlines.size()> due;  // by AppealDeadline
  };
  struct Known {
    Kind kind;
    std::array<base::Instant, domain::kAppealDeadlines.size()> due{};  // by AppealDeadline; unset: done
  };

  mutable base::Mutex mutex_;
  std::map<DeletionPlace, Known> open_ GUARDED_BY(mutex_);
  std::map<Kind, OfKind> kinds_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
