// Whether a running daemon still does what it is for: it asks itself.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/app/server.h"
#include "daemon/ops/log.h"
#include "daemon/service/state/core.h"

namespace consent::app {

enum class ProbeStep : uint8_t { kNone = 0, kCheck = 1, kCommits = 2, kHeadFile = 3 };
// "none", "check", "commits" or "head file".
ops::Literal ProbeStepName(ProbeStep step);

// One thread's, but for `step`. The references outlive it.
class Probe {
 public:
  // `account`: EligibilityRpc's probe_account.
  Probe(service::Core& core, const service::Pool& readers, Server& server, std::string account);

  // Does what a living daemon does, in this order, up to the first that fails, and returns that one; kNone: it lives.
  //   a check that comes by a connection to the gRPC server is answered within `patience`,
  //   commits that conflict come back from the queues of some partitions, the next time of the next: behind a group
  //   whose sync hangs none does,
  //   the head file is synced: where the disk hangs and nobody commits, this does.
  // Nothing is written but what the store writes each second, nothing is counted, and no feed grows. It blocks as long
  // as the store does; the caller makes no second one meanwhile. README.md ("Watched") says what counts as an answer.
  ProbeStep Run(std::chrono::milliseconds patience);

  // What it waits for. Thread-safe.
  ProbeStep step() const { return step_.load(); }

 private:
  bool IsCheckAnswered(std::chrono::milliseconds patience);
  bool AreCommitsAnswered();

  service::Core& core_;
  const service::Pool& readers_;
  Server& server_;
  const std::string account_;
  uint64_t reads_seen_;                // Pool::begun at the last probe
  std::vector<uint64_t> groups_seen_;  // of commits, answered at the last probe, by partition
  uint16_t next_partition_ = 0;        // that is asked first by the next probe
  std::atomic<ProbeStep> step_{ProbeStep::kNone};
};

}  // namespace consent::app
