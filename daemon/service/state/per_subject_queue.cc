#include "daemon/service/state/per_subject_queue.h"

#include <utility>

namespace consent::service {

bool PerSubjectQueue::Take(base::SubjectHandle subject, std::function<void()>& next) {
  Shard& shard = ShardOf(subject);
  base::MutexLock lock(shard.mutex);
  const auto [at, first] = shard.waiting.try_emplace(subject);
  if (first) return true;
  at->second.push_back(std::move(next));
  return false;
}

std::function<void()> PerSubjectQueue::Pass(base::SubjectHandle subject) {
  Shard& shard = ShardOf(subject);
  base::MutexLock lock(shard.mutex);
  const auto at = shard.waiting.find(subject);
  if (at->second.empty()) {
    shard.waiting.erase(at);
    return nullptr;
  }
  std::function<void()> next = std::move(at->second.front());
  at->second.pop_front();
  return next;
}

}  // namespace consent::service
