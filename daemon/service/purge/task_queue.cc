#include "daemon/service/purge/task_queue.h"

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

void TaskQueue::Add(domain::SystemNumber system, DeletionPlace task, base::Span at) {
  base::MutexLock lock(mutex_);
  SystemQueue& line = lines_[system];
  line.entries.push(Entry{at, task});
  if (!line.waiters.empty()) changed_.NotifyOne();
}

std::vector<DeletionPlace> TaskQueue::Take(domain::SystemNumber system, size_t limit) {
  const base::Span now = core_.time.SinceBoot();
  std::vector<DeletionPlace> taken;
  base::MutexLock lock(mutex_);
  std::priority_queue<Entry>& entries = lines_[system].entries;
  while (taken.size() < limit && !entries.empty() && entries.top().at <= now) {
    taken.push_back(entries.top().task);
    entries.pop();
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

void TaskQueue::Count(domain::SystemNumber system, int64_t change) {
  base::MutexLock lock(mutex_);
  lines_[system].counts.open += change;
}

void TaskQueue::CountStuck(domain::SystemNumber system, int64_t change) {
  base::MutexLock lock(mutex_);
  lines_[system].counts.stuck += change;
}

void TaskQueue::CountRetry(domain::SystemNumber system) {
  base::MutexLock lock(mutex_);
  ++lines_[system].counts.retries;
}

void TaskQueue::CountRefused(domain::SystemNumber system, const std::string& reason) {
  base::MutexLock lock(mutex_);
  ++lines_[system].counts.refused[reason];
}

TaskQueue::Counts TaskQueue::counts(domain::SystemNumber system) const {
  base::MutexLock lock(mutex_);
  const auto at = lines_.find(system);
  return at == lines_.end() ? Counts{} : at->second.counts;
}

void TaskQueue::TakeReady(std::vector<Wake>* ready) {
  const base::Span now = core_.time.SinceBoot();
  for (auto& [system, line] : lines_) {
    const bool has_task = !line.entries.empty() && line.entries.top().at <= now;
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
