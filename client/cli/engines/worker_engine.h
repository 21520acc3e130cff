// The work of `consentctl worker`, without its command line: tasks leased, one run of the command for each, and how it
// ended reported.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/engines/lease_keeper.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/engines/task_command.h"
#include "client/cli/exit_codes.h"
#include "consent/client.h"

namespace consent::cli {

struct WorkerSettings {
  std::string system;
  // End when no task is to be had, instead of waiting for more.
  bool once = false;
  // Runs at the same time, 1 to 64.
  size_t parallel = 1;
  // Tasks in one lease, 1 to 100; 0: as many as can be begun at once.
  int batch = 0;
  // How long a lease lasts; 1 s to 12 h. It is renewed while the command runs, so it only says how soon others have the
  // task where this worker dies.
  std::chrono::seconds visibility{300};
  // A command that is not done by then is ended.
  std::chrono::seconds longest_run{3600};
  // How often it is asked whether a lease is still held, at most; below 10 s, so that a hold ends a command within 15
  // s.
  std::chrono::milliseconds renew_every{5000};
  // See MakeTaskInput.
  bool stdin_only = false;
  // The command leaves alone what a task excepts. Where it does not, no task with exceptions is run.
  bool heeds_exceptions = false;
  // The selectors that the command can do; empty: all. Tasks of others are left to others.
  std::vector<DeletionSelectorKind> accepts;
  // Outlives the worker; see RunLimits.
  const OrphanGuard* guard = nullptr;
};

struct WorkerCounts {
  // Reported, and the report was accepted.
  uint64_t done = 0;
  uint64_t not_found = 0;
  uint64_t exempt = 0;
  // What was built already keeps it, and the next build will not have it.
  uint64_t excluded = 0;
  // They come again: the command said so; it failed; it was not begun or not finished because the worker stopped or the
  // lease ran out.
  uint64_t retried = 0;
  uint64_t failed = 0;
  uint64_t given_back = 0;
  // The report came too late: another worker has the task, or it ended meanwhile.
  uint64_t lost = 0;
  // A hold took the task back while its command ran.
  uint64_t taken_back = 0;
  // The daemon refused the report; the task failed by that, or waits for its lease to end.
  uint64_t refused = 0;
  // Of the system, as the last lease said.
  int64_t open = 0;
  // The daemon gave no answer as long as the lease lasted.
  uint64_t unreported = 0;
  // Of those done, as the command counted.
  int64_t erased = 0;
};

// How the worker's process ends, with `once` and not; `ended` is what Worker::Run returned.
ExitCode CodeForWorker(const absl::Status& ended, const WorkerCounts& counts, bool once, bool stopped);

// How a run is reported.
struct Verdict {
  enum class Kind { kDone, kNotFound, kRetry, kFailed, kGivenBack, kTakenBack, kExempt, kExcluded };
  Kind kind = Kind::kFailed;
  // For FailTasks: what went wrong; no ids. Of kExempt: why it is kept, in words.
  std::string error;
  // See TaskFailure.
  bool not_begun = false;
  // Of kExempt: the ground.
  ExemptReason exempt_reason = ExemptReason::kUnset;
};
// Exit status 0: done; 3: not found; 4: kept, on the ground that the last line begins with; 5: excluded from the next
// build; 75: again later; anything else: failed. So is a 0 or 5 whose number no report may carry, and a 4 without a
// ground that a report may say.
Verdict Judge(const RunEnd& end);

// The same of a run that was ended because its lease had become `lease`.
Verdict JudgeEndedLease(LeaseState lease);

// Why no command is run for the task, as a failure says it; empty: one is.
std::string WhyNotRun(const WorkerSettings& settings, const PurgeTask& task);

// What a command has between SIGTERM and SIGKILL, and how long before its lease ends it gets SIGTERM: there is time
// left to report it.
std::chrono::nanoseconds GraceOf(std::chrono::seconds visibility);
std::chrono::nanoseconds MarginOf(std::chrono::seconds visibility);

// What has become of a leased task.
enum class TaskEnd : uint8_t {
  // The outcomes that the daemon took.
  kAcknowledged,
  kNotFound,
  kExempt,
  kExcluded,
  // It comes again; see WorkerCounts.
  kRetried,
  kFailed,
  kGivenBack,
  kTakenBack,
  kLost,
  kRefused,
  kUnreported,
};
// "ACKNOWLEDGED", ...: outcomes as the API names them.
const char* Word(TaskEnd end);

// One task that this worker has done with. Nothing of it is an id of a person, a recording or a device.
struct EndedTask {
  TaskId task_id;
  // As CONSENT_SELECTOR has it; empty where it is not known.
  std::string selector;
  int attempt = 0;
  TaskEnd end = TaskEnd::kFailed;
  // As reported.
  int64_t erased = 0;
  // From when its command was to begin until its report was answered.
  std::chrono::nanoseconds took{0};
  // Why it goes back; empty where it does not.
  std::string why;
};

// Called by one thread at a time. No text names an id.
class WorkerSink {
 public:
  virtual ~WorkerSink() = default;
  // A task is done with, whatever became of it; after what the others say of it.
  virtual void Ended(const EndedTask& task) = 0;
  // A task is done, and what its output says of how much was erased cannot be read: none is reported.
  virtual void CountsNothing() = 0;
  // A task goes back; why.
  virtual void GoesBack(const std::string& why) = 0;
  // The daemon gave no answer; the worker goes on. Again and again as long as that lasts.
  virtual void NoAnswer(const absl::Status& status) = 0;
  // It refused a report or a renewal; the worker goes on.
  virtual void Refused(const absl::Status& status) = 0;
  // It answered a lease.
  virtual void Answered() = 0;
  virtual void Progress(const WorkerCounts& counts, size_t running) = 0;
};

// One run. Makes `parallel` threads. Not thread-safe.
class Worker {
 public:
  // All of them must outlive the run. `environment`: NAME=VALUE each, for the command.
  Worker(const WorkerSettings& settings, Client& client, const TaskCommand& command,
         std::vector<std::string> environment, const StopRequest& stop, Clock& clock, WorkerSink& sink)
      : settings_(settings),
        client_(client),
        command_(command),
        environment_(std::move(environment)),
        stop_(stop),
        clock_(clock),
        sink_(sink),
        keeper_({settings.system, settings.visibility, settings.renew_every, MarginOf(settings.visibility)}, client,
                clock, [this](const absl::Status& status) { Tell(status); }) {}

  // Until it is asked to stop, or with `once` until there is no task. Whatever was leased has been reported or given
  // back then. OK, or why no tasks could be leased: with `once` any error, else only what repeating does not help
  // against.
  absl::Status Run();
  const WorkerCounts& counts() const { return counts_; }

 private:
  struct Item {
    PurgeTask task;
    std::chrono::nanoseconds held_until{0};
    std::chrono::nanoseconds taken{0};  // when a thread took it
  };

  absl::Status LeaseAll();
  // Waits until a task could be begun at once; how many.
  size_t WaitForRoom();
  void WaitUntilIdle();
  void Enqueue(LeasedTasks leased);
  // Runs on each of the threads.
  void Serve();
  // Nothing: there will be no more.
  std::optional<Item> Next();
  void Do(const Item& item);
  // Reports a task, again and again while its lease lasts, and counts it.
  void Report(const Item& item, const Verdict& verdict, const RunEnd& end);
  absl::StatusOr<TaskAnswer> Send(const Item& item, const Verdict& verdict, const RunEnd& end);
  absl::StatusOr<TaskAnswer> SendPatiently(const Item& item, const Verdict& verdict, const RunEnd& end);
  void Count(const Item& item, const absl::StatusOr<TaskAnswer>& answer, const Verdict& verdict, const RunEnd& end);
  // Counts how it ended, and what to say of that. Under mutex_.
  TaskEnd CountTaken(const Verdict& verdict, const RunEnd& end);
  // Under mutex_.
  void TellEnded(const Item& item, TaskEnd how, const RunEnd& end, const std::string& why);
  // Says whether a call that failed had no answer or was refused.
  void Tell(const absl::Status& status);

  const WorkerSettings& settings_;
  Client& client_;
  const TaskCommand& command_;
  const std::vector<std::string> environment_;
  const StopRequest& stop_;
  Clock& clock_;
  WorkerSink& sink_;

  // Guards what follows, and calls to the sink.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> waiting_;
  size_t running_ = 0;
  bool closing_ = false;
  WorkerCounts counts_;
  LeaseKeeper keeper_;
};

}  // namespace consent::cli
