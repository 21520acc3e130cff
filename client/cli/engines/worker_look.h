// What a worker would hand to its command now, without leasing anything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/engines/worker_engine.h"
#include "consent/client.h"

namespace consent::cli {

struct LookedTask {
  TaskId task_id;
  // The line of its standard input, without the line's end; empty where the command would not be run.
  std::string line;
  // Why it would not be run; no ids.
  std::string why_not;
};

struct LookedTasks {
  // At most WorkerSettings::batch (0: 100), the longest waiting first.
  std::vector<LookedTask> tasks;
  // Of the system, as LeasedTasks.
  int64_t open_tasks = 0;
};

// Nothing is written and no lease is held. FailedPrecondition: the daemon is older than this program and leased
// instead; what it leased is given back. Else the call's error.
absl::StatusOr<LookedTasks> LookAtTasks(const WorkerSettings& settings, Client& client);

}  // namespace consent::cli
