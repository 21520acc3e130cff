#include "daemon/service/state/appeal_gauges.h"

namespace consent::service {

void AppealGauges::Put(DeletionPlace place, const domain::DeletionRequest& request) {
  const domain::Appeal* const appeal = domain::OpenAppeal(request.appeals);
  base::MutexLock lock(mutex_);
  if (const auto known = open_.find(place); known != open_.end()) {
    const auto kind = kinds_.find(known->second.kind);
    for (size_t index = 0; index < known->second.due.size(); ++index) {
      if (known->second.due[index].IsSet()) kind->second.due[index].Remove(known->second.due[index]);
    }
    if (--kind->second.appeals == 0) kinds_.erase(kind);
    open_.erase(known);
  }
  if (appeal == nullptr) return;
  Known& known = open_[place];
  known.kind = {appeal->kind, request.regime};
  OfKind& kind = kinds_[known.kind];
  ++kind.appeals;
  for (const domain::AppealDeadline deadline : domain::kAppealDeadlines) {
    const auto index = static_cast<size_t>(deadline);
    known.due[index] = domain::DeadlineOf(*appeal, deadline).value_or(base::Instant{});
    if (known.due[index].IsSet()) kind.due[index].Add(known.due[index]);
  }
}

std::vector<OpenAppeals> AppealGauges::Open(base::Instant now, base::Span near, base::Span far) const {
  std::vector<OpenAppeals> open;
  base::MutexLock lock(mutex_);
  open.reserve(kinds_.size());
  for (const auto& [kind, of_kind] : kinds_) {
    OpenAppeals& of = open.emplace_back(OpenAppeals{kind.first, kind.second, of_kind.appeals, {}});
    for (size_t index = 0; index < of.deadlines.size(); ++index) {
      of.deadlines[index] = of_kind.due[index].Count(now, near, far);
    }
  }
  return open;
}

}  // namespace consent::service
