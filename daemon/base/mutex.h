// std::mutex with clang's thread-safety annotations. The wrapper exists because Debian's absl is not instrumented:
// under ThreadSanitizer absl::Mutex reports false races and std::mutex does not.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// absl's status header brings GUARDED_BY, PT_GUARDED_BY and NO_THREAD_SAFETY_ANALYSIS under these very names and with
// this meaning; a second definition would clash, so they are taken from there.
#include "absl/base/thread_annotations.h"

#if defined(__clang__)
#define CONSENT_TSA(x) __attribute__((x))
#else
#define CONSENT_TSA(x)
#endif
#define CAPABILITY(x) CONSENT_TSA(capability(x))
#define SCOPED_CAPABILITY CONSENT_TSA(scoped_lockable)
#define REQUIRES(...) CONSENT_TSA(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) CONSENT_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) CONSENT_TSA(release_capability(__VA_ARGS__))
#define EXCLUDES(...) CONSENT_TSA(locks_excluded(__VA_ARGS__))

namespace consent::base {

class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// The caller holds `mutex` around every Wait, and re-checks its condition afterwards.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // Returns false on timeout.
  template <typename Rep, typename Period>
  bool WaitFor(Mutex& mutex, std::chrono::duration<Rep, Period> timeout) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_for(lock, timeout) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace consent::base
