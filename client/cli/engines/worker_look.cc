#include "client/cli/engines/worker_look.h"

#include <utility>

#include "client/cli/engines/task_input.h"

namespace consent::cli {
namespace {

constexpr int kMostLooked = 100;

// As one who began none of them.
absl::Status GiveBackLooked(const std::string& system, const std::vector<PurgeTask>& tasks, Client& client) {
  std::vector<TaskFailure> failures;
  failures.reserve(tasks.size());
  for (const PurgeTask& task : tasks) failures.push_back({task.task_id, task.epoch, "only looked at", true, 0, ""});
  return client.FailTasks(system, failures).status();
}

}  // namespace

absl::StatusOr<LookedTasks> LookAtTasks(const WorkerSettings& settings, Client& client) {
  LeaseOrder order;
  order.system = settings.system;
  order.max_tasks = settings.batch > 0 ? settings.batch : kMostLooked;
  order.visibility = settings.visibility;
  order.heeds_exceptions = settings.heeds_exceptions;
  order.accepts = settings.accepts;
  order.look_only = true;
  const absl::StatusOr<LeasedTasks> leased = client.LeaseTasks(order);
  if (!leased.ok()) return leased.status();
  for (const PurgeTask& task : leased->tasks) {
    if (task.epoch == 0) continue;
    const absl::Status back = GiveBackLooked(settings.system, leased->tasks, client);
    return absl::FailedPreconditionError(
        std::string("the daemon is older than this program and leases what is only to be looked at; ") +
        (back.ok() ? "all of it was given back" : "it comes again when its leases end"));
  }
  LookedTasks looked;
  looked.open_tasks = leased->open_tasks;
  for (const PurgeTask& task : leased->tasks) {
    LookedTask one;
    one.task_id = task.task_id;
    one.why_not = WhyNotRun(settings, task);
    if (one.why_not.empty()) {
      absl::StatusOr<TaskInput> input = MakeTaskInput(task, {}, settings.stdin_only);
      if (input.ok()) {
        one.line = std::move(input->line);
        one.line.pop_back();
      } else {
        one.why_not = std::string(input.status().message());
      }
    }
    looked.tasks.push_back(std::move(one));
  }
  return looked;
}

}  // namespace consent::cli
