// consentctl worker.
#include "client/cli/command.h"
#include "client/cli/engines/worker_engine.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

// What runs may go on for after the first signal to stop.
constexpr std::chrono::seconds kStopPatience{30};

struct WorkerFlags {
  WorkerSettings settings;
  int64_t visibility_seconds = 300;
  int64_t longest_run_seconds = 3600;
  bool show_errors = false;
  std::vector<std::string> command;
};

std::string CountsText(const WorkerCounts& counts, size_t running) {
  return "done " + std::to_string(counts.done) + ", not found " + std::to_string(counts.not_found) +
         (counts.exempt == 0 ? "" : ", exempt " + std::to_string(counts.exempt)) + ", again later " +
         std::to_string(counts.retried + counts.given_back) + ", failed " + std::to_string(counts.failed) +
         ", running " + std::to_string(running);
}

// Standard error: counts on a terminal, and lines about what goes wrong.
class Console final : public WorkerSink {
 public:
  explicit Console(bool as_json) : bar_(0, !as_json), as_json_(as_json) {}

  void CountsNothing() override {
    Say("a task is done, and reported with 0 erased: the last line of its output begins as a number and is none");
  }
  void GoesBack(const std::string& why) override { Say("a task goes back: " + why); }

  void NoAnswer(const absl::Status& status) override {
    if (!silent_) Say("the daemon gives no answer: " + ErrorText(status));
    silent_ = true;
  }

  void Refused(const absl::Status& status) override { Say("the daemon refuses: " + ErrorText(status)); }

  void Answered() override {
    if (silent_) Say("the daemon answers again");
    silent_ = false;
  }

  void Progress(const WorkerCounts& counts, size_t running) override { bar_.Show(0, CountsText(counts, running)); }

  ProgressBar& bar() { return bar_; }

 private:
  void Say(const std::string& what) {
    if (!as_json_) bar_.Say("consentctl: " + what);
  }

  ProgressBar bar_;
  const bool as_json_;
  // The daemon is; said once as long as it lasts.
  bool silent_ = false;
};

int PrintCounts(const absl::Status& ended, const WorkerCounts& counts, int code, const OutputForm& form) {
  if (!ended.ok()) std::fprintf(stderr, "consentctl: %s\n", ErrorText(ended).c_str());
  Report report;
  report.json = {{"done", counts.done},
                 {"not_found", counts.not_found},
                 {"exempt", counts.exempt},
                 {"retried", counts.retried},
                 {"failed", counts.failed},
                 {"given_back", counts.given_back},
                 {"lost", counts.lost},
                 {"erased", counts.erased},
                 {"unreported", counts.unreported},
                 {"taken_back", counts.taken_back},
                 {"refused", counts.refused},
                 {"open", counts.open}};
  if (!ended.ok()) report.json["error"] = ErrorJson(ended);
  Table table("worker", {"DONE", "NOT FOUND", "EXEMPT", "AGAIN LATER", "FAILED", "GIVEN BACK", "LOST", "UNREPORTED",
                         "TAKEN BACK", "REFUSED", "STILL OPEN", "ERASED"});
  table.Add({std::to_string(counts.done), std::to_string(counts.not_found), std::to_string(counts.exempt),
             std::to_string(counts.retried), std::to_string(counts.failed), std::to_string(counts.given_back),
             std::to_string(counts.lost), std::to_string(counts.unreported), std::to_string(counts.taken_back),
             std::to_string(counts.refused), std::to_string(counts.open), std::to_string(counts.erased)});
  report.tables = {table};
  return Print(report, form, code);
}

int RunWorker(const Cli& cli, WorkerFlags flags) {
  const absl::StatusOr<TaskCommand> command = TaskCommand::Create(flags.command, flags.show_errors);
  if (!command.ok()) return FileError(command.status());
  // Both before the client has threads.
  const absl::StatusOr<std::unique_ptr<OrphanGuard>> guard = OrphanGuard::Start();
  if (!guard.ok()) return FileError(guard.status());
  flags.settings.guard = guard->get();
  const StopRequest stop(kStopPatience);
  if (!stop.status().ok()) return FileError(stop.status());
  return cli.WithClient([&](Client& client) {
    const std::shared_ptr<Clock> clock = Clock::System();
    Console console(cli.json);
    Worker worker(flags.settings, client, *command, OwnEnvironment(), stop, *clock, console);
    const absl::Status ended = worker.Run();
    console.bar().Clear();
    const ExitCode code = CodeForWorker(ended, worker.counts(), flags.settings.once, stop.Asked());
    return PrintCounts(ended, worker.counts(), code, cli);
  });
}

}  // namespace

void AddWorker(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand("worker",
                                        "Do the deletions of one data system: lease its tasks and run COMMAND once for "
                                        "each, without a shell. What is to be deleted stands "
                                        "on its standard input, as one JSON line, and in CONSENT_… variables (see "
                                        "client/cli/README.md). It ends with 0: deleted; 3: there "
                                        "was nothing; 75: again later; anything else: failed, and again later. The "
                                        "last line of its standard output may be the number of "
                                        "what was erased; the SHA-256 of all of it is the evidence. Where some of it "
                                        "is on hold, the line's `exceptions` say what must be left "
                                        "alone; such a task is run only with --heeds-exceptions. SIGTERM or SIGINT: "
                                        "nothing new is begun, what runs may go on for 30 seconds, "
                                        "and what was leased and not begun is free for others at once.");
  auto flags = std::make_shared<WorkerFlags>();
  WorkerSettings& settings = flags->settings;
  AddText(app, "system", &settings.system, 1, base::kMaxNameBytes, "The data system, as `systems register` named it")
      ->required();
  app->add_option("command", flags->command, "After --: the program and its arguments")
      ->required()
      ->type_name("COMMAND");
  app->add_flag("--once", settings.once,
                "End when no task is to be had, instead of waiting for more: with 0 where none is open, with 40 where "
                "some are (they wait after a failure or for a hold, or others have them)");
  AddNumber(app, "--parallel", &settings.parallel, 1, 64, "Runs at the same time, 1 to 64 (default 1)");
  AddNumber(app, "--visibility", &flags->visibility_seconds, 1, 43'200,
            "Seconds that a task is leased for, 1 to 43200 (default 300): renewed while its command runs, so that only "
            "a worker that died keeps it from others for so long")
      ->type_name("SECONDS");
  AddNumber(app, "--longest-run", &flags->longest_run_seconds, 1, 43'200,
            "Seconds that a command may take, 1 to 43200 (default 3600); it is ended then")
      ->type_name("SECONDS");
  AddNumber(app, "--batch", &settings.batch, 1, 100,
            "Tasks leased at once, 1 to 100 (default: as many as can be begun)");
  app->add_flag("--stdin-only", settings.stdin_only,
                "No CONSENT_… variables: what is to be deleted stands on standard input only");
  app->add_flag(
      "--heeds-exceptions", settings.heeds_exceptions,
      "The command leaves alone what `exceptions` (or CONSENT_EXCEPTIONS) names: it is on hold. Without this "
      "flag a task that has any fails and waits, so that nothing on hold is deleted by a command that does not look.");
  app->add_flag("--show-errors", flags->show_errors,
                "The command's standard error is the worker's; else it is thrown away, because it may name people");
  app->callback([&cli, flags] {
    flags->settings.visibility = std::chrono::seconds(flags->visibility_seconds);
    flags->settings.longest_run = std::chrono::seconds(flags->longest_run_seconds);
    cli.action = [&cli, flags] { return RunWorker(cli, *flags); };
  });
}

}  // namespace consent::cli
