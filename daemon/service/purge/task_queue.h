// What can be leased when: in front of the task rows, for each data system a queue of its open tasks by the time at
// which they may be handed out. It only hints: the rows decide. Filled at the start; a task that has ended leaves its
// entry behind, which is dropped when its turn comes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

// Failures after which somebody should look at a task.
inline constexpr uint32_t kStuckAfter = 5;

// Thread-safe. Owns a thread, which only wakes waiters.
class TaskQueue {
 public:
  // Called once, on the queue's own thread or on that of the caller; must not block.
  using Wake = std::function<void()>;

  explicit TaskQueue(const Core& core);
  // Wakes all that wait.
  ~TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  // The task may be handed out from `at` on, by the boot clock (zero: at once).
  void Add(domain::SystemNumber system, DeletionPlace task, base::Span at) EXCLUDES(mutex_);
  // Takes up to `limit` that may be handed out now, the longest waiting first. What is not handed out must be added
  // again.
  std::vector<DeletionPlace> Take(domain::SystemNumber system, size_t limit) EXCLUDES(mutex_);

  // Wakes the caller when a task of the system may be handed out, and after `patience` in any case. False where too
  // many wait already.
  [[nodiscard]] bool Wait(domain::SystemNumber system, std::chrono::milliseconds patience, Wake wake) EXCLUDES(mutex_);
  // Wakes all that wait and takes no more waiters: before the server is shut down.
  void Stop() EXCLUDES(mutex_);

  // Tasks counted as open: by whoever makes and ends them.
  void Count(domain::SystemNumber system, int64_t change) EXCLUDES(mutex_);
  // Tasks that failed kStuckAfter times or more; failures since the process began.
  void CountStuck(domain::SystemNumber system, int64_t change) EXCLUDES(mutex_);
  void CountRetry(domain::SystemNumber system) EXCLUDES(mutex_);
  // A report that was refused for `reason`, the name of an error: there are few.
  void CountRefused(domain::SystemNumber system, const std::string& reason) EXCLUDES(mutex_);
  struct Counts {
    int64_t open = 0;
    int64_t stuck = 0;
    uint64_t retries = 0;
    std::map<std::string, uint64_t> refused;
  };
  Counts counts(domain::SystemNumber system) const EXCLUDES(mutex_);

 private:
  struct Entry {
    base::Span at;
    DeletionPlace task;
    // For a queue whose top is the earliest.
    bool operator<(const Entry& other) const { return other.at < at || (other.at == at && other.task < task); }
  };
  struct Waiter {
    base::Span until;  // by the boot clock
    Wake wake;
  };
  struct SystemQueue {
    std::priority_queue<Entry> entries;
    std::vector<Waiter> waiters;
    Counts counts;
  };

  void Run() EXCLUDES(mutex_);
  // Those whose time has come, or for whom there is a task.
  void TakeReady(std::vector<Wake>* ready) REQUIRES(mutex_);

  const Core& core_;
  mutable base::Mutex mutex_;
  base::CondVar changed_;
  std::map<domain::SystemNumber, SystemQueue> lines_ GUARDED_BY(mutex_);
  size_t waiting_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace consent::service
