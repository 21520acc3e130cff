#include "daemon/service/state/pool.h"

#include <utility>

namespace consent::service {

Pool::Pool(int threads, size_t queue_limit) : queue_limit_(queue_limit) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

Pool::~Pool() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  ready_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

bool Pool::Post(std::function<void()> task) {
  base::MutexLock lock(mutex_);
  if (stopping_ || tasks_.size() >= queue_limit_) return false;
  tasks_.push_back(std::move(task));
  // Under the lock: whoever hears of the task's end may destroy the pool while this thread would still be notifying.
  ready_.NotifyOne();
  return true;
}

size_t Pool::queued() const {
  base::MutexLock lock(mutex_);
  return tasks_.size();
}

uint64_t Pool::begun() const {
  base::MutexLock lock(mutex_);
  return begun_;
}

void Pool::Work() {
  for (;;) {
    std::function<void()> task;
    {
      base::MutexLock lock(mutex_);
      while (tasks_.empty() && !stopping_) ready_.Wait(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      ++begun_;
    }
    task();
  }
}

}  // namespace consent::service
