// How many appeals and complaints are open, and until when each must be acknowledged and answered: for metrics. Follows
// the rows of deletion requests; rebuilt at the start.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/domain/deletion.h"
#include "daemon/service/state/deletion_place.h"

namespace consent::service {

// The open ones of one kind under one regime of their requests.
struct OpenAppeals {
  domain::AppealKind kind = domain::AppealKind::kMissing;
  std::string regime;
  uint64_t appeals = 0;
  std::array<uint64_t, domain::kAppealDeadlines.size()> overdue{};  // by AppealDeadline, as domain::IsLate says
};

// Thread-safe.
class AppealGauges {
 public:
  // Of a request that was read at the start or written: what its open appeal is due for, in place of what was known.
  void Put(DeletionPlace place, const domain::DeletionRequest& request);

  // One for each kind and regime that has any, in that order.
  std::vector<OpenAppeals> Open(base::Instant now) const;

 private:
  using Due = std::array<base::Instant, domain::kAppealDeadlines.size()>;  // by AppealDeadline; unset: done

  mutable base::Mutex mutex_;
  struct Of {
    uint64_t appeals = 0;
    std::array<std::multiset<base::Instant>, domain::kAppealDeadlines.size()> deadlines;
  };
  using Kind = std::pair<domain::AppealKind, std::string>;  // and regime
  struct Known {
    Kind kind;
    Due due{};
  };
  std::map<DeletionPlace, Known> open_ GUARDED_BY(mutex_);
  std::map<Kind, Of> counts_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
