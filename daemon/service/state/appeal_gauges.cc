#include "daemon/service/state/appeal_gauges.h"

#include <iterator>

namespace consent::service {

void AppealGauges::Put(DeletionPlace place, const domain::DeletionRequest& request) {
  const domain::Appeal* const appeal = domain::OpenAppeal(request.appeals);
  base::MutexLock lock(mutex_);
  if (const auto known = open_.find(place); known != open_.end()) {
    for (size_t kind = 0; kind < known->second.size(); ++kind) {
      if (known->second[kind].IsSet()) deadlines_[kind].erase(deadlines_[kind].find(known->second[kind]));
    }
    open_.erase(known);
  }
  if (appeal == nullptr) return;
  Due& due = open_[place];
  for (const domain::AppealDeadline kind : domain::kAppealDeadlines) {
    const auto deadline = domain::DeadlineOf(*appeal, kind);
    if (!deadline.has_value() || !deadline->IsSet()) continue;
    due[static_cast<size_t>(kind)] = *deadline;
    deadlines_[static_cast<size_t>(kind)].insert(*deadline);
  }
}

uint64_t AppealGauges::open() const {
  base::MutexLock lock(mutex_);
  return open_.size();
}

uint64_t AppealGauges::CountBefore(domain::AppealDeadline kind, base::Instant time) const {
  base::MutexLock lock(mutex_);
  const std::multiset<base::Instant>& deadlines = deadlines_[static_cast<size_t>(kind)];
  return static_cast<uint64_t>(std::distance(deadlines.begin(), deadlines.lower_bound(time)));
}

}  // namespace consent::service
