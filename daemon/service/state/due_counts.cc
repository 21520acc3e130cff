#include "daemon/service/state/due_counts.h"

namespace consent::service {

void DueCounts::Remove(base::Instant due) {
  const auto at = counts_.find(due);
  if (at != counts_.end() && --at->second == 0) counts_.erase(at);
}

DueCount DueCounts::Count(base::Instant now, base::Span near, base::Span far) const {
  DueCount total;
  for (const auto& [due, count] : counts_) {
    if (due <= now) {
      total.past += count;
      continue;
    }
    if (!(due < now + far)) break;
    total.far += count;
    if (due < now + near) total.near += count;
  }
  return total;
}

}  // namespace consent::service
