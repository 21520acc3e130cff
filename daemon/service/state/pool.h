// A bounded queue and a few threads: for reads that may block, so that no gRPC thread ever does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "daemon/base/mutex.h"

namespace consent::service {

// Thread-safe. The destructor runs what was queued, then joins.
class Pool {
 public:
  Pool(int threads, size_t queue_limit);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False where the queue is full or the pool is stopping; the task is then not run.
  [[nodiscard]] bool Post(std::function<void()> task);
  size_t queued() const;
  // Tasks that a thread has begun, since construction: a pool that is full and lives goes on counting.
  uint64_t begun() const;

 private:
  void Work();
  mutable base::Mutex mutex_;
  base::CondVar ready_;
  std::deque<std::function<void()>> tasks_ GUARDED_BY(mutex_);
  uint64_t begun_ GUARDED_BY(mutex_) = 0;
  const size_t queue_limit_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace consent::service
