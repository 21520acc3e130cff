// Keeps the leases of tasks whose commands run, and learns which of them a hold has taken back.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/cli/files.h"
#include "consent/client.h"

namespace consent::cli {

// One lease while its command runs. Thread-safe.
class KeptLease {
 public:
  KeptLease(TaskLease lease, std::chrono::nanoseconds held_until);

  // Can be read from the moment that the command must end; see state().
  int ended() const { return ended_.get(); }
  // kRenewed: it is held; kUnset: it was not renewed in time.
  LeaseState state() const { return state_.load(); }
  // By Clock::SinceBoot.
  std::chrono::nanoseconds held_until() const { return std::chrono::nanoseconds(held_until_.load()); }

 private:
  friend class LeaseKeeper;
  void End(LeaseState why);

  const TaskLease lease_;
  std::atomic<int64_t> held_until_;
  std::atomic<LeaseState> state_{LeaseState::kRenewed};
  Descriptor ended_;
};

// Owns a thread, which asks the daemon every few seconds. A command is told within `interval` and one call's deadline,
// which together are below 15 s; where its lease is not renewed, also by a daemon that hangs, no later than `margin`
// before the lease ends. Thread-safe.
class LeaseKeeper {
 public:
  struct Settings {
    std::string system;
    std::chrono::seconds visibility{300};
    // At most; and a quarter of `visibility`.
    std::chrono::milliseconds interval{5000};
    // Before its lease ends a command must end by itself so much earlier.
    std::chrono::nanoseconds margin{0};
  };
  // `refused` is called from its thread with the first refusal of a renewal: as long as it is refused, commands end
  // with their leases. `client` and `clock` outlive it.
  LeaseKeeper(Settings settings, Client& client, Clock& clock, std::function<void(const absl::Status&)> refused);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  // `held_until` lies at least half of `visibility` ahead.
  std::shared_ptr<const KeptLease> Keep(TaskLease lease, std::chrono::nanoseconds held_until);
  // Its command has ended.
  void Drop(const std::shared_ptr<const KeptLease>& lease);

 private:
  void Run();
  std::chrono::milliseconds Interval() const;
  // When the command must be told unless its lease is renewed.
  std::chrono::nanoseconds LastMoment(const KeptLease& lease) const;
  // Until it is asked next: never beyond a last moment. Under mutex_.
  std::chrono::nanoseconds Wait() const;
  // Ends those whose last moment has come; the others. Under mutex_.
  std::vector<std::shared_ptr<KeptLease>> EndOverdue();
  void Renew(const std::vector<std::shared_ptr<KeptLease>>& leases);

  const Settings settings_;
  Client& client_;
  Clock& clock_;
  const std::function<void(const absl::Status&)> refused_;
  // Used by the thread alone.
  bool refusal_told_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<KeptLease>> kept_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace consent::cli
