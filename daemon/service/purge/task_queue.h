// What can be leased when: in front of the task rows, for each data system its open tasks and a queue of them by the
// time at which they may be handed out. It only hints: the rows decide. Filled at the start; follows the tasks' rows.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/domain/deletion.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

// Failures after which somebody should look at a task.
inline constexpr uint32_t kStuckAfter = 5;

// The kinds of selectors that a worker does, as bits by their numbers (domain::SelectorKind). Bit 0 is of tasks whose
// kind is not known: only who does all gets them.
using Accepts = uint16_t;
inline constexpr size_t kSelectorKinds = static_cast<size_t>(domain::kLastSelectorKind) + 1;
inline constexpr Accepts kAcceptsAll = (1U << kSelectorKinds) - 1;
constexpr Accepts AcceptsOf(domain::SelectorKind kind) {
  return static_cast<Accepts>(1U << static_cast<unsigned>(kind));
}
// Of a worker that does not say. It may be older than drafts and take one for the whole recording.
inline constexpr Accepts kAcceptsUnsaid = static_cast<Accepts>(kAcceptsAll & ~AcceptsOf(domain::SelectorKind::kDraft));

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

  // The task is open, failed so often, and may be handed out from `at` on, by the boot clock (zero: at once). Another
  // time for the same task takes the place of the one before. `kind`: what its request selects by, which never changes;
  // nothing: it is not known.
  void Put(domain::SystemNumber system, DeletionPlace task, base::Span at, uint32_t failures,
           std::optional<domain::SelectorKind> kind = {}) EXCLUDES(mutex_);
  // The task has ended.
  void Remove(domain::SystemNumber system, DeletionPlace task) EXCLUDES(mutex_);
  // The open tasks of the request may be handed out at once.
  void AddTasksOf(DeletionPlace request) EXCLUDES(mutex_);

  // Takes up to `limit` that are accepted and may be handed out now, the longest waiting first. What is not handed out
  // must be given back. What is not accepted costs nothing, however much it is.
  std::vector<DeletionPlace> Take(domain::SystemNumber system, size_t limit, Accepts accepts = kAcceptsAll)
      EXCLUDES(mutex_);

  // Of a task that was taken: it may be handed out from `at` on. Where it has ended or was put since, that counts.
  void GiveBack(domain::SystemNumber system, DeletionPlace task, base::Span at) EXCLUDES(mutex_);

  // Wakes the caller when a task of the system that it accepts may be handed out, and after `patience` in any case.
  // False where too many wait already.
  [[nodiscard]] bool Wait(domain::SystemNumber system, std::chrono::milliseconds patience, Wake wake,
                          Accepts accepts = kAcceptsAll) EXCLUDES(mutex_);
  // Wakes all that wait and takes no more waiters: before the server is shut down.
  void Stop() EXCLUDES(mutex_);

  // A worker of the system asked at `now` for tasks that it accepts.
  void NoteWorker(domain::SystemNumber system, base::Instant now, Accepts accepts) EXCLUDES(mutex_);
  // It reported or renewed `task`: whoever took that goes on doing what it accepted then.
  void NoteReport(domain::SystemNumber system, DeletionPlace task, base::Instant now) EXCLUDES(mutex_);
  // A report that was refused for `reason`, the name of an error: there are few.
  void CountRefused(domain::SystemNumber system, const std::string& reason) EXCLUDES(mutex_);
  struct Counts {
    int64_t open = 0;
    int64_t stuck = 0;     // of the open ones: failed kStuckAfter times or more
    uint64_t retries = 0;  // failures since the process began
    std::map<std::string, uint64_t> refused;
    // When one called last, of the workers that accept the open tasks: of each kind that is open the last one, and of
    // these the earliest, so that a kind which nobody does is seen. Where none is open, the last of all. Unset: none
    // did since the process began.
    base::Instant worker_seen;
  };
  Counts counts(domain::SystemNumber system) const EXCLUDES(mutex_);
  // Of each partition the open task whose request was received first.
  std::vector<DeletionPlace> FirstOpen(domain::SystemNumber system) const EXCLUDES(mutex_);

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
    Accepts accepts = kAcceptsAll;
  };
  struct Task {
    std::optional<base::Span> at;  // nothing: not in the queue
    uint32_t failures = 0;
    uint8_t kind = 0;             // number of its SelectorKind; 0: not known
    Accepts taker = kAcceptsAll;  // what the worker accepts that took it last
  };
  struct OfKind {
    std::priority_queue<Entry> entries;  // also of tasks that have ended, or got another time, since
    int64_t open = 0;
    base::Instant worker_seen;
  };
  struct SystemQueue {
    std::map<DeletionPlace, Task> open;
    std::array<OfKind, kSelectorKinds> kinds;  // by the number of the SelectorKind
    std::vector<Waiter> waiters;
    Counts counts;
  };

  void Run() EXCLUDES(mutex_);
  // Queues the task.
  void Enqueue(SystemQueue& line, DeletionPlace place, Task& task, base::Span at) REQUIRES(mutex_);
  // The entry of the kind that is due first; nullptr: none. Drops those that are no more.
  static const Entry* First(SystemQueue& line, OfKind& kind);
  // The kind among `accepts` of which an entry is due first, at `now` at the latest; nullptr: there is none.
  static OfKind* FirstKind(SystemQueue& line, Accepts accepts, base::Span now);
  static void Note(SystemQueue& line, Accepts accepts, base::Instant now);
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
