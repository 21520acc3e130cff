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
  line.entries.push(Entry{at, place});
  if (!line.waiters.empty()) changed_.NotifyOne();
}

void TaskQueue::Put(domain::SystemNumber system, DeletionPlace place, base::Span at, uint32_t failures) {
  base::MutexLock lock(mutex_);
  SystemQueue& line = lines_[system];
  const auto [found, is_new] = line.open.try_emplace(place);
  Task& task = found->second;
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

const TaskQueue::Entry* TaskQueue::First(SystemQueue& line) {
  while (!line.entries.empty()) {
    const Entry& first = line.entries.top();
    const auto found = line.open.find(first.task);
    if (found != line.open.end() && found->second.at == first.at) return &first;
    line.entries.pop();
  }
  return nullptr;
}

std::vector<DeletionPlace> TaskQueue::Take(domain::SystemNumber system, size_t limit) {
  const base::Span now = core_.time.SinceBoot();
  std::vector<DeletionPlace> taken;
  base::MutexLock lock(mutex_);
  SystemQueue& line = lines_[system];
  for (const Entry* first = First(line); first != nullptr && first->at <= now && taken.size() < limit;
       first = First(line)) {
    taken.push_back(first->task);
    line.open[first->task].at.reset();
    line.entries.pop();
  }
  return taken;
}

bool TaskQueue::Wait(domain::SystemNumber system, std::chrono::milliseconds patience, Wake wake) {
  const base::Span until = core_.time.After(base::Milliseconds(patience.count())).since;
  base::MutexLock lock(mutex_);
  if (stopping_ || waiting_ >= kMaxWaiters) return false;
  ++waiting_;
  lines_[system].waiters.push_back(Waiter{until, std::move(wake)});
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

void TaskQueue::NoteWorker(domain::SystemNumber system, base::Instant now) {
  base::MutexLock lock(mutex_);
  base::Instant& seen = lines_[system].counts.worker_seen;
  seen = std::max(seen, now);
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
  return counts;
}

void TaskQueue::TakeReady(std::vector<Wake>* ready) {
  const base::Span now = core_.time.SinceBoot();
  for (auto& [system, line] : lines_) {
    const Entry* const first = First(line);
    const bool has_task = first != nullptr && first->at <= now;
    for (size_t i = 0; i < line.waiters.size();) {
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
