// Keeps the leases of tasks whose commands run, and learns which of them a hold has taken back.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
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

// Owns a thread, which asks the daemon every few seconds. A command is told within `interval` and one call's deadline, which together are
// below 15 s; where the daemon gives no answer, in time before its lease ends. Thread-safe.
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
  // Both outlive it.
  LeaseKeeper(Settings settings, Client& client, Clock& clock);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  std::shared_ptr<const KeptLease> Keep(TaskLease lease, std::chrono::nanoseconds held_until);
  // Its command has ended.
  void Drop(const std::shared_ptr<const KeptLease>& lease);

 private:
  void Run();
  std::chrono::milliseconds Interval() const;
  void Renew(const std::vector<std::shared_ptr<KeptLease>>& leases);

  const Settings settings_;
  Client& client_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<KeptLease>> kept_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace consent::cli
