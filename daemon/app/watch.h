// What the service manager hears of the daemon's life, and when: that it starts, serves and drains, and that it lives.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "daemon/base/mutex.h"
#include "daemon/ops/service_manager.h"

namespace consent::app {

// In this order; none comes again.
enum class Stage : uint8_t {
  kStarting = 0,  // until the store is open and the addresses are there
  kFilling = 1,   // policies, facts index, policy of the file
  kServing = 2,
  kDraining = 3,
};

// The rule. Pure but for what it remembers; used by one thread at a time.
class WatchRule {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Options {
    std::optional<std::chrono::microseconds> watchdog;  // as ServiceManager::watchdog
    std::chrono::milliseconds drain{0};                 // how long a drain may take
  };
  struct Seen {
    Stage stage = Stage::kStarting;
    uint64_t progress = 0;         // of kStarting and kFilling: changes while they get on
    uint64_t probes_answered = 0;  // of kServing: in time, since the process began
  };

  // A start that gets no further for so long is not extended any more.
  static constexpr std::chrono::seconds kStartPatience{120};

  explicit WatchRule(Options options) : options_(options) {}
  // The message that is due (sd_notify(3)); empty: none.
  std::string Next(const Seen& seen, Time now);
  // Whether no probe was answered for half the watchdog's time while it serves. Told once for each time.
  bool TakeOverdue(const Seen& seen, Time now);

 private:
  const Options options_;
  std::optional<Stage> told_;
  Time stage_began_{};
  uint64_t progress_ = 0;
  uint64_t fed_for_ = 0;  // Seen::probes_answered at the last feeding
  Time fed_at_{};
  bool overdue_told_ = false;
};

// Follows the rule on a thread of its own, which alone speaks to the manager: one that takes no messages holds up
// nothing else, except the destructor. Thread-safe. Does nothing where no manager listens.
class Watch {
 public:
  struct Parts {
    std::function<uint64_t()> progress;  // called under a lock, and before kServing alone
    std::function<void()> overdue;       // WatchRule::TakeOverdue; called on the thread
  };
  // `manager` outlives it.
  Watch(const ops::ServiceManager& manager, std::chrono::milliseconds drain, Parts parts);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Tells at once. When it returns, `progress` is not called for an earlier stage any more.
  void Enter(Stage stage) EXCLUDES(mutex_);
  // A probe was answered in time.
  void NoteAnswered() EXCLUDES(mutex_);

 private:
  void Run() EXCLUDES(mutex_);

  const ops::ServiceManager& manager_;
  const Parts parts_;
  const std::chrono::milliseconds pace_;  // between two looks, at most
  WatchRule rule_;                        // the thread's
  base::Mutex mutex_;
  base::CondVar wake_;
  WatchRule::Seen seen_ GUARDED_BY(mutex_);
  bool news_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last
};

}  // namespace consent::app
