#include "daemon/service/state/deletion_gauges.h"

#include <algorithm>

namespace consent::service {

void DeletionGauges::Count(DeletionPlace place, const domain::DeletionRequest& request, int64_t sign) {
  const auto key = std::make_tuple(request.cause, request.regime, request.state);
  uint64_t& count = counts_[key];
  count += static_cast<uint64_t>(sign);
  if (count == 0) counts_.erase(key);
  for (const domain::DeadlineKind kind : domain::kDeadlineKinds) {
    const std::optional<base::Instant> time = domain::DeadlineOf(request, kind);
    if (!time.has_value()) continue;
    ByTime& by_time = deadlines_[static_cast<size_t>(kind)];
    std::set<DeletionPlace>& then = by_time[*time];
    if (sign > 0) {
      then.insert(place);
    } else {
      then.erase(place);
    }
    if (then.empty()) by_time.erase(*time);
  }
  if (!domain::IsOpen(request.state)) return;
  if (sign > 0) {
    open_[place] = request.received_at;
  } else {
    open_.erase(place);
  }
}

void DeletionGauges::Replace(DeletionPlace place, const domain::DeletionRequest* before,
                             const domain::DeletionRequest& after) {
  base::MutexLock lock(mutex_);
  if (before != nullptr) Count(place, *before, -1);
  Count(place, after, 1);
  const bool completed =
      before != nullptr && before->state != after.state && after.state == domain::DeletionState::kCompleted;
  if (!completed || after.cause != domain::DeletionCause::kRequested) return;
  const double seconds = static_cast<double>((after.ended_at - after.received_at).micros) / 1e6;
  const auto bucket =
      std::lower_bound(kCompletionSeconds.begin(), kCompletionSeconds.end(), seconds) - kCompletionSeconds.begin();
  ++completions_.buckets[static_cast<size_t>(bucket)];
  completions_.sum_seconds += seconds;
}

std::vector<DeletionCount> DeletionGauges::Counts() const {
  base::MutexLock lock(mutex_);
  std::vector<DeletionCount> counts;
  counts.reserve(counts_.size());
  for (const auto& [key, count] : counts_) {
    counts.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
  }
  return counts;
}

std::vector<DeletionPlace> DeletionGauges::Before(domain::DeadlineKind kind, base::Instant time, size_t limit) const {
  base::MutexLock lock(mutex_);
  std::vector<DeletionPlace> places;
  for (const auto& [deadline, of_then] : deadlines_[static_cast<size_t>(kind)]) {
    if (!(deadline < time)) break;
    for (const DeletionPlace& place : of_then) {
      if (places.size() >= limit) return places;
      places.push_back(place);
    }
  }
  return places;
}

uint64_t DeletionGauges::CountBefore(domain::DeadlineKind kind, base::Instant time) const {
  base::MutexLock lock(mutex_);
  uint64_t count = 0;
  const ByTime& by_time = deadlines_[static_cast<size_t>(kind)];
  for (auto at = by_time.begin(); at != by_time.end() && at->first < time; ++at) count += at->second.size();
  return count;
}

base::Instant DeletionGauges::oldest_open() const {
  base::MutexLock lock(mutex_);
  base::Instant oldest;
  for (auto at = open_.begin(); at != open_.end();) {
    if (!oldest.IsSet() || at->second < oldest) oldest = at->second;
    at = open_.lower_bound(DeletionPlace{store::Partition{static_cast<uint16_t>(at->first.partition.number + 1)}, 0});
  }
  return oldest;
}

DeletionGauges::Completions DeletionGauges::completions() const {
  base::MutexLock lock(mutex_);
  return completions_;
}

}  // namespace consent::service
