// Asks, while a command purges recordings, whether all of them must still go: a hold may be placed meanwhile.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "client/cli/files.h"
#include "consent/client.h"

namespace consent::cli {

// One command while it runs. Thread-safe.
class WatchedPurge {
 public:
  explicit WatchedPurge(std::vector<Recording> recordings);
  // Can be read from the moment that the command must end: one of them must not go any more, or nobody can say so.
  int ended() const { return ended_.get(); }

 private:
  friend class PurgeWatch;
  void End();

  const std::vector<Recording> recordings_;
  Descriptor ended_;
};

// Owns a thread. A command is told within `interval` and one call's deadline. Where the daemon gives no answer the
// command ends, too: what nobody confirms is not purged. Thread-safe.
class PurgeWatch {
 public:
  // `client` outlives it.
  PurgeWatch(std::chrono::milliseconds interval, Client& client);
  ~PurgeWatch();
  PurgeWatch(const PurgeWatch&) = delete;
  PurgeWatch& operator=(const PurgeWatch&) = delete;

  // 1 to kMaxBatch recordings.
  std::shared_ptr<const WatchedPurge> Begin(std::vector<Recording> recordings);
  // Its command has ended.
  void End(const std::shared_ptr<const WatchedPurge>& purge);

 private:
  void Run();
  bool AllMustGo(const std::vector<Recording>& recordings) const;

  const std::chrono::milliseconds interval_;
  Client& client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<WatchedPurge>> running_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace consent::cli
