#include "daemon/service/state/appeal_gauges.h"

#include <iterator>

namespace consent::service {

void AppealGauges::Put(DeletionPlace place, const domain::DeletionRequest& request) {
  const domain::Appeal* const appeal = domain::OpenAppeal(request.appeals);
  base::MutexLock lock(mutex_);
  if (const auto known = open_.find(place); known != open_.end()) {
    Of& counts = counts_[known->second.kind];
    for (size_t kind = 0; kind < known->second.due.size(); ++kind) {
      const base::Instant due = known->second.due[kind];
      if (due.IsSet()) counts.deadlines[kind].erase(counts.deadlines[kind].find(due));
    }
    if (--counts.appeals == 0) counts_.erase(known->second.kind);
    open_.erase(known);
  }
  if (appeal == nullptr) return;
  Known& known = open_[place];
  known.kind = {appeal->kind, request.regime};
  Of& counts = counts_[known.kind];
  ++counts.appeals;
  for (const domain::AppealDeadline kind : domain::kAppealDeadlines) {
    const auto deadline = domain::DeadlineOf(*appeal, kind);
    if (!deadline.has_value() || !deadline->IsSet()) continue;
    known.due[static_cast<size_t>(kind)] = *deadline;
    counts.deadlines[static_cast<size_t>(kind)].insert(*deadline);
  }
}

std::vector<OpenAppeals> AppealGauges::Open(base::Instant now) const {
  std::vector<OpenAppeals> open;
  base::MutexLock lock(mutex_);
  open.reserve(counts_.size());
  for (const auto& [kind, counts] : counts_) {
    OpenAppeals& of = open.emplace_back(OpenAppeals{kind.first, kind.second, counts.appeals, {}});
    for (size_t i = 0; i < of.overdue.size(); ++i) {
      const std::multiset<base::Instant>& due = counts.deadlines[i];
      of.overdue[i] = static_cast<uint64_t>(std::distance(due.begin(), due.upper_bound(now)));
    }
  }
  return open;
}

}  // namespace consent::service
