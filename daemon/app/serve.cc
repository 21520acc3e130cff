#include "daemon/app/serve.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include "daemon/app/descriptors.h"
#include "daemon/app/events.h"
#include "daemon/app/exit_codes.h"
#include "daemon/app/runtime.h"
#include "daemon/app/shortage.h"
#include "daemon/app/tls.h"
#include "daemon/app/watch.h"
#include "daemon/ops/log.h"
#include "daemon/ops/service_manager.h"
#include "daemon/ops/version.h"

namespace consent::app {
namespace {

using ops::OperatorText;

// Calls that were waiting for the failed write get this long to hear that its outcome is unknown.
constexpr std::chrono::milliseconds kFailurePatience{500};

// How long a drain may take to close the store once calls have ended, before the service manager is not told any more
// that the daemon lives.
constexpr std::chrono::seconds kClosing{60};

int Fail(ops::Log& log, const Failure& failure) {
  log.Error("start failed", {{"why", OperatorText(failure.why)}, {"exit_code", static_cast<int>(failure.code)}});
  return static_cast<int>(failure.code);
}

class Daemon {
 public:
  Daemon(const ops::ServeOptions& options, ops::Log& log, Events& events)
      : log_(log),
        events_(events),
        runtime_(options, log, News()),
        watch_(manager_, std::chrono::seconds(options.drain_seconds) + kClosing,
               {.progress = [this] { return runtime_.progress(); }, .overdue = [this] { runtime_.TellOverdue(); }}) {}

  int Run() {
    // Not on this thread: a disk may let it wait, and a signal must end it all the same.
    std::thread preparing([this] {
      failure_ = runtime_.Open();
      if (!failure_.has_value()) {
        watch_.Enter(Stage::kFilling);
        failure_ = runtime_.Prepare();
      }
      events_.Post(Event::kPrepared);
    });
    for (;;) {
      switch (events_.Wait()) {
        case Event::kWriteFailed:
          Abandon(/*is_serving=*/!preparing.joinable());
        case Event::kStop:
          if (preparing.joinable()) StopWhilePreparing();
          return Stop();
        case Event::kPrepared:
          preparing.join();
          if (failure_.has_value()) return Fail(log_, *failure_);
          BeginServing();
          break;
        case Event::kPolicyRead:
          reading_.join();
          TakeCallers();
          TakePolicy();
          ReloadIfAsked();
          break;
        case Event::kReload:
          reload_waits_ = true;
          if (!preparing.joinable()) runtime_.BeginDecisionFile();
          if (!preparing.joinable() && !reading_.joinable()) ReloadIfAsked();
          break;
      }
    }
  }

 private:
  Runtime::News News() {
    return {.write_failed = [this] { events_.Post(Event::kWriteFailed); },
            .policy_due = [this] { events_.Post(Event::kReload); },
            .probe_answered = [this] { watch_.NoteAnswered(); }};
  }

  void BeginServing() {
    runtime_.Serve();
    if (manager_.watchdog().has_value()) runtime_.StartProbing(*manager_.watchdog());
    log_.Info("serving");
    watch_.Enter(Stage::kServing);
    ReloadIfAsked();
  }

  int Stop() {
    watch_.Enter(Stage::kDraining);
    log_.Info("draining");
    runtime_.Drain();
    log_.Info("stopped");
    // A disk may hold up the reading of the policy file for ever.
    if (reading_.joinable()) std::_Exit(static_cast<int>(ExitCode::kOk));
    return static_cast<int>(ExitCode::kOk);
  }

  // Filling cannot be interrupted, and changes nothing: the process may end in the middle of it.
  [[noreturn]] void StopWhilePreparing() {
    log_.Info("stopped while starting");
    std::_Exit(static_cast<int>(ExitCode::kOk));
  }

  [[noreturn]] void Abandon(bool is_serving) {
    log_.Error("a write failed: its outcome is unknown until the store is opened anew",
               {{"exit_code", static_cast<int>(ExitCode::kWriteFailed)}});
    if (is_serving) runtime_.Abandon(kFailurePatience);
    std::_Exit(static_cast<int>(ExitCode::kWriteFailed));
  }

  // Reads on a thread of its own, because a disk may let it wait, and a signal must end the daemon all the same.
  void ReloadIfAsked() {
    if (!std::exchange(reload_waits_, false)) return;
    reading_ = std::thread([this] {
      read_callers_ = runtime_.ReadCallers();
      read_ = runtime_.ReadPolicy();
      events_.Post(Event::kPolicyRead);
    });
  }

  void TakePolicy() {
    const absl::Status status = runtime_.ReloadPolicy(read_);
    if (!status.ok()) {
      log_.Error("policy reload refused, the old policy stays in force", {{"why", OperatorText(status)}});
    }
  }

  void TakeCallers() {
    const absl::Status status = runtime_.ReloadCallers(read_callers_);
    if (!status.ok()) {
      log_.Error("callers reload refused, the old file stays in force", {{"why", OperatorText(status)}});
    }
  }

  ops::Log& log_;
  Events& events_;
  const ops::ServiceManager manager_;
  Runtime runtime_;
  Watch watch_;                            // it asks the runtime
  std::optional<Failure> failure_;         // of Open and Prepare; read once its event came
  bool reload_waits_ = false;              // also while the start or another reload is under way
  std::thread reading_;                    // of the callers' file and the policy file
  absl::StatusOr<policy::Document> read_;  // what it found; read once its event came
  absl::StatusOr<v1::CallersFile> read_callers_;
};

}  // namespace

int Serve(const ops::ServeOptions& options) {
  umask(077);                 // nothing that the daemon makes is for others
  prctl(PR_SET_DUMPABLE, 0);  // and its memory, keys and ids in it, goes into no core file
  TellShortages();
  RaiseDescriptorLimit();
  const absl::Status tls = RestrictTls();
  Events events;
  ops::Log log(options.log_format, options.log_level);
  if (!tls.ok()) return Fail(log, FailureFrom(ExitCode::kInternal, tls));
  if (!events.status().ok()) return Fail(log, FailureFrom(ExitCode::kInternal, events.status()));
  log.Info("starting",
           {{"version", OperatorText(ops::kVersion)}, {"data_dir", OperatorText(options.data_dir)}, {"pid", getpid()}});
  if (std::optional<Failure> failure = CheckResources(options); failure.has_value()) return Fail(log, *failure);
  return Daemon(options, log, events).Run();
}

}  // namespace consent::app
