#include "daemon/service/purge/task_queue.h"

#include <algorithm>
#include <utility>

namespace consent::service {
namespace {

constexpr size_t kMaxWaiters = 1024;
// How late a waiter may be woken for a task whose time comes while it waits.
constexpr std::chrono::milliseconds kTick{100};

}  // namespace

TaskQueue::TaskQueue(const Core& core) : core_(core), thread_([this] { Run(); }) {}

TaskQueue::~TaskQueue() {
  Stop();
  thread_.join();
}

void TaskQueue::Enqueue(SystemQueue& line, DeletionPlace place, Task& task, base::Span at) {
  if (task.at == at) return;
  task.at = at;
  line.kinds[task.kind].entries.push(Entry{at, place});
  if (!line.waiters.empty()) changed_.NotifyOne();
}

void TaskQueue::Put(domain::SystemNumber system, DeletionPlace place, base::Span at, uint32_t failures,
                    std::optional<domain::SelectorKind> kind) {
  base::MutexLock lock(mutex_);
  SystemQueue& line = lines_[system];
  const auto [found, is_new] = line.open.try_emplace(place);
  Task& task = found->second;
  if (is_new) {
    const auto number = static_cast<uint8_t>(kind.value_or(domain::SelectorKind{}));
    task.kind = number < kSelectorKinds ? number : uint8_t{0};
    ++line.kinds[task.kind].open;
  }
  const auto stuck = [](const Task& one) { return one.failures >= kStuckAfter ? 1 : 0; };
  line.counts.stuck -= stuck(task);
  if (!is_new && failures > task.failures) line.counts.retries += failures - task.failures;
  task.failures = failures;
  line.counts.stuck += stuck(task);
  Enqueue(line, place, task, at);
}

void TaskQueue::Remove(domain::SystemNumber system, DeletionPlace place) {
  base::MutexLock lock(mutex_);
  SystemQueue& line = lines_[system];
  const auto found = line.open.find(place);
  if (found == line.open.end()) return;
  if (found->second.failures >= kStuckAfter) --line.counts.stuck;
  --line.kinds[found->second.kind].open;
  line.open.erase(found);
}

void TaskQueue::AddTasksOf(DeletionPlace request) {
  base::MutexLock lock(mutex_);
  for (auto& [system, line] : lines_) {
    const auto found = line.open.find(request);
    if (found != line.open.end()) Enqueue(line, request, found->second, base::Span{});
  }
}

void TaskQueue::GiveBack(domain::SystemNumber system, DeletionPlace place, base::Span at) {
  base::MutexLock lock(mutex_);
  SystemQueue& line = lines_[system];
  const auto found = line.open.find(place);
  if (found != line.open.end() && !found->second.at.has_value()) Enqueue(line, place, found->second, at);
}

const TaskQueue::Entry* TaskQueue::First(SystemQueue& line, OfKind& kind) {
  while (!kind.entries.empty()) {
    const Entry& first = kind.entries.top();
    const auto found = line.open.find(first.task);
    if (found != line.open.end() && found->second.at == first.at) return &first;
    kind.entries.pop();
  }
  return nullptr;
}

TaskQueue::OfKind* TaskQueue::FirstKind(SystemQueue& line, Accepts accepts, base::Span now) {
  OfKind* earliest = nullptr;
  const Entry* its_first = nullptr;
  for (size_t number = 0; number < line.kinds.size(); ++number) {
    if ((accepts >> number & 1U) == 0) continue;
    OfKind& kind = line.kinds[number];
    const Entry* const first = First(line, kind);
    if (first == nullptr || first->at > now || (its_first != nullptr && !(*its_first < *first))) continue;
    earliest = &kind;
    its_first = first;
  }
  return earliest;
}

std::vector<DeletionPlace> TaskQueue::Take(domain::SystemNumber system, size_t limit, Accepts accepts) {
  const base::Span now = core_.time.SinceBoot();
  std::vector<DeletionPlace> taken;
  base::MutexLock lock(mutex_);
  SystemQueue& line = lines_[system];
  while (taken.size() < limit) {
    OfKind* const kind = FirstKind(line, accepts, now);
    if (kind == nullptr) break;
    taken.push_back(kind->entries.top().task);
    Task& task = line.open[taken.back()];
    task.at.reset();
    task.taker = accepts;
    kind->entries.pop();
  }
  return taken;
}

bool TaskQueue::Wait(domain::SystemNumber system, std::chrono::milliseconds patience, Wake wake, Accepts accepts) {
  const base::Span until = core_.time.After(base::Milliseconds(patience.count())).since;
  base::MutexLock lock(mutex_);
  if (stopping_ || waiting_ >= kMaxWaiters) return false;
  ++waiting_;
  lines_[system].waiters.push_back(Waiter{until, std::move(wake), accepts});
  changed_.NotifyOne();
  return true;
}

void TaskQueue::Stop() {
  base::MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
}

void TaskQueue::CountRefused(domain::SystemNumber system, const std::string& reason) {
  base::MutexLock lock(mutex_);
  ++lines_[system].counts.refused[reason];
}

void TaskQueue::Note(SystemQueue& line, Accepts accepts, base::Instant now) {
  for (size_t number = 0; number < line.kinds.size(); ++number) {
    if ((accepts >> number & 1U) == 0) continue;
    base::Instant& seen = line.kinds[number].worker_seen;
    seen = std::max(seen, now);
  }
}

void TaskQueue::NoteWorker(domain::SystemNumber system, base::Instant now, Accepts accepts) {
  base::MutexLock lock(mutex_);
  Note(lines_[system], accepts, now);
}

void TaskQueue::NoteReport(domain::SystemNumber system, DeletionPlace task, base::Instant now) {
  base::MutexLock lock(mutex_);
  SystemQueue& line = lines_[system];
  const auto found = line.open.find(task);
  if (found != line.open.end()) Note(line, found->second.taker, now);
}

// Numbers grow with the time of receipt within a partition.
std::vector<DeletionPlace> TaskQueue::FirstOpen(domain::SystemNumber system) const {
  base::MutexLock lock(mutex_);
  std::vector<DeletionPlace> first;
  const auto found = lines_.find(system);
  if (found == lines_.end()) return first;
  const std::map<DeletionPlace, Task>& open = found->second.open;
  for (auto at = open.begin(); at != open.end();) {
    first.push_back(at->first);
    at = open.lower_bound(DeletionPlace{store::Partition{static_cast<uint16_t>(at->first.partition.number + 1)}, 0});
  }
  return first;
}

TaskQueue::Counts TaskQueue::counts(domain::SystemNumber system) const {
  base::MutexLock lock(mutex_);
  const auto at = lines_.find(system);
  if (at == lines_.end()) return Counts{};
  Counts counts = at->second.counts;
  counts.open = static_cast<int64_t>(at->second.open.size());
  bool is_first = true;
  for (const OfKind& kind : at->second.kinds) {
    if (counts.open == 0) counts.worker_seen = std::max(counts.worker_seen, kind.worker_seen);
    if (kind.open == 0) continue;
    counts.worker_seen = is_first ? kind.worker_seen : std::min(counts.worker_seen, kind.worker_seen);
    is_first = false;
  }
  return counts;
}

void TaskQueue::TakeReady(std::vector<Wake>* ready) {
  const base::Span now = core_.time.SinceBoot();
  for (auto& [system, line] : lines_) {
    if (line.waiters.empty()) continue;
    Accepts ready_kinds = 0;
    for (size_t number = 0; number < line.kinds.size(); ++number) {
      const Entry* const first = First(line, line.kinds[number]);
      if (first != nullptr && first->at <= now) ready_kinds = static_cast<Accepts>(ready_kinds | 1U << number);
    }
    for (size_t i = 0; i < line.waiters.size();) {
      const bool has_task = (line.waiters[i].accepts & ready_kinds) != 0;
      if (!has_task && !stopping_ && line.waiters[i].until > now) {
        ++i;
        continue;
      }
      ready->push_back(std::move(line.waiters[i].wake));
      line.waiters.erase(line.waiters.begin() + static_cast<std::ptrdiff_t>(i));
      --waiting_;
    }
  }
}

void TaskQueue::Run() {
  for (;;) {
    std::vector<Wake> ready;
    bool stop = false;
    {
      base::MutexLock lock(mutex_);
      while (waiting_ == 0 && !stopping_) changed_.Wait(mutex_);
      stop = stopping_;  // before all that still wait are woken for it
      TakeReady(&ready);
      if (ready.empty() && !stop) changed_.WaitFor(mutex_, kTick);
    }
    for (const Wake& wake : ready) wake();
    if (stop) return;
  }
}

}  // namespace consent::service
