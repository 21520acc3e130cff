#include "daemon/service/state/open_safety_flags.h"

namespace consent::service {

void OpenSafetyFlags::Put(Place place, bool acknowledged) {
  base::MutexLock lock(mutex_);
  const auto [at, is_new] = by_key_.try_emplace({place.partition, place.key}, place.reported_at);
  if (!is_new) {
    by_time_.erase({at->second, place.partition, place.key});
    at->second = place.reported_at;
  }
  by_time_.insert_or_assign(std::move(place), acknowledged);
}

void OpenSafetyFlags::Remove(store::Partition partition, std::string_view key) {
  base::MutexLock lock(mutex_);
  const auto at = by_key_.find({partition, std::string(key)});
  if (at == by_key_.end()) return;
  by_time_.erase({at->second, partition, at->first.second});
  by_key_.erase(at);
}

void OpenSafetyFlags::RemoveSubject(store::Partition partition, std::string_view subject_key) {
  base::MutexLock lock(mutex_);
  auto at = by_key_.lower_bound({partition, std::string(subject_key)});
  while (at != by_key_.end() && at->first.first == partition && at->first.second.starts_with(subject_key)) {
    by_time_.erase({at->second, partition, at->first.second});
    at = by_key_.erase(at);
  }
}

uint64_t OpenSafetyFlags::open() const {
  base::MutexLock lock(mutex_);
  return by_time_.size();
}

base::Instant OpenSafetyFlags::oldest() const {
  base::MutexLock lock(mutex_);
  return by_time_.empty() ? base::Instant{} : by_time_.begin()->first.reported_at;
}

OpenSafetyFlags::Past OpenSafetyFlags::ReportedBy(base::Instant time) const {
  Past past;
  base::MutexLock lock(mutex_);
  for (const auto& [place, acknowledged] : by_time_) {
    if (place.reported_at > time) break;
    ++past.open;
    past.unacknowledged += acknowledged ? 0 : 1;
  }
  return past;
}

std::vector<OpenSafetyFlags::Place> OpenSafetyFlags::From(const Place& first, std::string_view subject_key,
                                                          size_t limit) const {
  std::vector<Place> places;
  base::MutexLock lock(mutex_);
  for (auto at = by_time_.lower_bound(first); at != by_time_.end() && places.size() < limit; ++at) {
    if (at->first.key.starts_with(subject_key)) places.push_back(at->first);
  }
  return places;
}

}  // namespace consent::service
