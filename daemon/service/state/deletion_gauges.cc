#include "daemon/service/state/deletion_gauges.h"

#include <algorithm>
#include <utility>

namespace consent::service {

void DeletionGauges::CountIn(DeletionPlace place, const domain::DeletionRequest& request) {
  ++counts_[std::make_tuple(request.cause, request.regime, request.state)];
  if (!domain::IsOpen(request.state)) return;
  Open& open = open_[place];
  open = Open{request.subject,       request.cause, request.regime, request.state, request.received_at, {},
              request.WaitsForTime()};
  open_of_.emplace(request.subject, place);
  for (const domain::DeadlineKind kind : domain::kDeadlineKinds) {
    const auto index = static_cast<size_t>(kind);
    open.deadlines[index] = domain::DeadlineOf(request, kind);
    if (open.deadlines[index].has_value()) deadlines_[index][*open.deadlines[index]].insert(place);
  }
}

void DeletionGauges::CountOut(DeletionPlace place, const Open& open) {
  const auto count = counts_.find(std::make_tuple(open.cause, open.regime, open.state));
  if (--count->second == 0) counts_.erase(count);
  open_of_.erase({open.subject, place});
  for (size_t index = 0; index < deadlines_.size(); ++index) {
    if (!open.deadlines[index].has_value()) continue;
    const auto then = deadlines_[index].find(*open.deadlines[index]);
    then->second.erase(place);
    if (then->second.empty()) deadlines_[index].erase(then);
  }
}

void DeletionGauges::NoteCompletion(const domain::DeletionRequest& request) {
  const double seconds = static_cast<double>((request.ended_at - request.received_at).micros) / 1e6;
  const auto bucket =
      std::lower_bound(kCompletionSeconds.begin(), kCompletionSeconds.end(), seconds) - kCompletionSeconds.begin();
  ++completions_.buckets[static_cast<size_t>(bucket)];
  completions_.sum_seconds += seconds;
}

void DeletionGauges::Add(DeletionPlace place, const domain::DeletionRequest& request) {
  base::MutexLock lock(mutex_);
  CountIn(place, request);
}

bool DeletionGauges::Put(DeletionPlace place, const domain::DeletionRequest& request) {
  base::MutexLock lock(mutex_);
  const auto known = open_.find(place);
  const bool was_open = known != open_.end();
  if (!was_open && !domain::IsOpen(request.state)) return false;
  bool waited = false;
  if (was_open) {
    const Open before = std::move(known->second);
    open_.erase(known);
    CountOut(place, before);
    waited = before.waits_for_time;
  }
  CountIn(place, request);
  const bool completed = was_open && request.state == domain::DeletionState::kCompleted;
  if (completed && request.cause == domain::DeletionCause::kRequested) NoteCompletion(request);
  return waited && domain::IsOpen(request.state) && !request.WaitsForTime();
}

bool DeletionGauges::IsOpen(DeletionPlace place) const {
  base::MutexLock lock(mutex_);
  return open_.count(place) != 0;
}

std::vector<DeletionPlace> DeletionGauges::OpenOf(base::SubjectHandle subject) const {
  base::MutexLock lock(mutex_);
  std::vector<DeletionPlace> places;
  for (auto at = open_of_.lower_bound({subject, DeletionPlace{}}); at != open_of_.end() && at->first == subject; ++at) {
    places.push_back(at->second);
  }
  return places;
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
    const base::Instant received = at->second.received_at;
    if (!oldest.IsSet() || received < oldest) oldest = received;
    at = open_.lower_bound(DeletionPlace{store::Partition{static_cast<uint16_t>(at->first.partition.number + 1)}, 0});
  }
  return oldest;
}

DeletionGauges::Completions DeletionGauges::completions() const {
  base::MutexLock lock(mutex_);
  return completions_;
}

}  // namespace consent::service
