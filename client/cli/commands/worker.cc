// consentctl worker.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <utility>

#include "client/cli/command.h"
#include "client/cli/engines/worker_engine.h"
#include "client/cli/engines/worker_look.h"
#include "client/cli/engines/worker_metrics.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/times.h"
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
  bool dry_run = false;
  std::string metrics_file;
  std::vector<std::string> command;
};

std::string SecondsOf(std::chrono::nanoseconds time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", std::chrono::duration<double>(time).count());
  return text.data();
}

// As a journal or a file gets it: one line of logfmt, or one of JSON.
std::string TaskLine(const std::string& system, const EndedTask& task, bool as_json) {
  if (as_json) {
    const Json json = {{"time", TimeText(SystemTime())},
                       {"event", "task_ended"},
                       {"system", system},
                       {"task_id", task.task_id.value()},
                       {"selector", task.selector},
                       {"attempt", task.attempt},
                       {"outcome", Word(task.end)},
                       {"erased", task.erased},
                       {"seconds", std::chrono::duration<double>(task.took).count()},
                       {"why", task.why}};
    return PrintableJson(json.dump());
  }
  return Printable("time=" + TimeText(SystemTime()) + " event=task_ended system=" + system + " task_id=" +
                   task.task_id.value() + " selector=" + task.selector + " attempt=" + std::to_string(task.attempt) +
                   " outcome=" + Word(task.end) + " erased=" + std::to_string(task.erased) +
                   " seconds=" + SecondsOf(task.took) + (task.why.empty() ? "" : " why=" + Json(task.why).dump()));
}

std::string CountsText(const WorkerCounts& counts, size_t running) {
  return "done " + std::to_string(counts.done) + ", not found " + std::to_string(counts.not_found) +
         (counts.exempt == 0 ? "" : ", exempt " + std::to_string(counts.exempt)) +
         (counts.excluded == 0 ? "" : ", excluded " + std::to_string(counts.excluded)) + ", again later " +
         std::to_string(counts.retried + counts.given_back) + ", failed " + std::to_string(counts.failed) +
         ", running " + std::to_string(running);
}

// Standard error: counts on a terminal, elsewhere a line for each task; and lines about what goes wrong. Beside it the
// metrics' file.
class Console final : public WorkerSink {
 public:
  Console(std::string system, bool as_json, WorkerMetricsFile metrics)
      : system_(std::move(system)),
        bar_(0, !as_json),
        as_json_(as_json),
        on_terminal_(::isatty(STDERR_FILENO) == 1),
        metrics_(std::move(metrics)) {}

  void CountsNothing() override {
    Say("a task is done, and reported with 0 erased: the last line of its output begins as a number and is none");
  }
  // Elsewhere the line of the task says it.
  void GoesBack(const std::string& why) override {
    if (on_terminal_) Say("a task goes back: " + why);
  }

  void Ended(const EndedTask& task) override {
    metrics_.NoteEnded(task);
    if (!on_terminal_) std::fprintf(stderr, "%s\n", TaskLine(system_, task, as_json_).c_str());
  }

  void NoAnswer(const absl::Status& status) override {
    if (!silent_) Say("the daemon gives no answer: " + ErrorText(status));
    silent_ = true;
  }

  void Refused(const absl::Status& status) override { Say("the daemon refuses: " + ErrorText(status)); }

  void Answered() override {
    metrics_.NoteAnswered();
    if (silent_) Say("the daemon answers again");
    silent_ = false;
  }

  void Progress(const WorkerCounts& counts, size_t running) override {
    bar_.Show(0, CountsText(counts, running));
    Measure(counts, running, false);
  }

  // After the run.
  void Finish(const WorkerCounts& counts) {
    bar_.Clear();
    Measure(counts, 0, true);
  }

 private:
  void Say(const std::string& what) {
    if (!as_json_) bar_.Say("consentctl: " + what);
  }
  void Measure(const WorkerCounts& counts, size_t running, bool at_once) {
    const absl::Status written = metrics_.Write(counts, running, at_once);
    if (!written.ok()) bar_.Say("consentctl: " + std::string(written.message()) + "; the worker goes on without it");
  }

  const std::string system_;
  ProgressBar bar_;
  const bool as_json_;
  const bool on_terminal_;
  WorkerMetricsFile metrics_;
  // The daemon is; said once as long as it lasts.
  bool silent_ = false;
};

int PrintCounts(const absl::Status& ended, const WorkerCounts& counts, int code, const OutputForm& form) {
  if (!ended.ok()) std::fprintf(stderr, "consentctl: %s\n", ErrorText(ended).c_str());
  Report report;
  report.json = {{"done", counts.done},
                 {"not_found", counts.not_found},
                 {"exempt", counts.exempt},
                 {"excluded", counts.excluded},
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
                         "TAKEN BACK", "REFUSED", "STILL OPEN", "ERASED", "EXCLUDED"});
  table.Add({std::to_string(counts.done), std::to_string(counts.not_found), std::to_string(counts.exempt),
             std::to_string(counts.retried), std::to_string(counts.failed), std::to_string(counts.given_back),
             std::to_string(counts.lost), std::to_string(counts.unreported), std::to_string(counts.taken_back),
             std::to_string(counts.refused), std::to_string(counts.open), std::to_string(counts.erased),
             std::to_string(counts.excluded)});
  report.tables = {table};
  return Print(report, form, code);
}

// Standard output: the line of each task. What is wrong with one, and the counts, stand on standard error.
int PrintLooked(const LookedTasks& looked, bool as_json) {
  if (as_json) {
    Report report;
    report.json = {{"tasks", Json::array()}, {"open", looked.open_tasks}};
    for (const LookedTask& task : looked.tasks) {
      Json one = {{"task_id", task.task_id.value()}, {"input", nullptr}, {"why_not", task.why_not}};
      if (!task.line.empty()) one["input"] = Json::parse(task.line);
      report.json["tasks"].push_back(std::move(one));
    }
    return Print(report, true, kDone);
  }
  std::string lines;
  for (const LookedTask& task : looked.tasks) {
    if (!task.line.empty()) lines += PrintableJson(task.line) + "\n";
    if (!task.why_not.empty()) {
      std::fprintf(stderr, "consentctl: task %s would not be run: %s\n", Printable(task.task_id.value()).c_str(),
                   Printable(task.why_not).c_str());
    }
  }
  const std::string counts = "consentctl: may be begun now: " + std::to_string(looked.tasks.size()) +
                             ", open: " + std::to_string(looked.open_tasks) + "; nothing was leased";
  std::fprintf(stderr, "%s\n", counts.c_str());
  return PrintText(lines, kDone);
}

int LookOnly(const Cli& cli, const WorkerSettings& settings) {
  return cli.WithClient([&](Client& client) {
    const absl::StatusOr<LookedTasks> looked = LookAtTasks(settings, client);
    return looked.ok() ? PrintLooked(*looked, cli.json) : PrintError(looked.status(), cli.json);
  });
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
  const std::shared_ptr<Clock> clock = Clock::System();
  WorkerMetricsFile metrics;
  if (!flags.metrics_file.empty()) {
    auto created = WorkerMetricsFile::Create(flags.metrics_file, flags.settings.system, *clock, SystemTime);
    if (!created.ok()) return FileError(created.status());
    metrics = *std::move(created);
  }
  return cli.WithClient([&](Client& client) {
    Console console(flags.settings.system, cli.json, std::move(metrics));
    Worker worker(flags.settings, client, *command, OwnEnvironment(), stop, *clock, console);
    const absl::Status ended = worker.Run();
    console.Finish(worker.counts());
    const ExitCode code = CodeForWorker(ended, worker.counts(), flags.settings.once, stop.Asked());
    return PrintCounts(ended, worker.counts(), code, cli);
  });
}

// What it takes, and what it shows of itself.
void AddWorkerShown(CLI::App* app, WorkerFlags* flags) {
  AddNames(
      app, "--accepts", &flags->settings.accepts,
      "The selectors that the command can do; tasks of others are left to other workers, and stay open where there "
      "is none (default: all but draft)");
  app->add_flag("--dry-run", flags->dry_run,
                "Show what the command would be handed now, one line for each task, and end: nothing is leased, run or "
                "reported. It shows whose data it is");
  NotEmpty(app->add_option("--metrics-file", flags->metrics_file,
                           "Counts of this worker for node_exporter's textfile collector: a file that ends with .prom, "
                           "replaced whole, once a second at most"))
      ->type_name("FILE");
}

}  // namespace

void AddWorker(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand("worker",
                                        "Do the deletions of one data system: lease its tasks and run COMMAND once for "
                                        "each, without a shell. What is to be deleted stands "
                                        "on its standard input, as one JSON line, and in CONSENT_… variables (see "
                                        "client/cli/README.md). It ends with 0: deleted; 3: there "
                                        "was nothing; 4: kept, on the ground that its last line begins with; 5: "
                                        "excluded from the next build; 75: again later; anything else: failed, and "
                                        "again later. The "
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
  const CLI::Option* const command =
      app->add_option("command", flags->command, "After --: the program and its arguments; not needed with --dry-run")
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
  AddWorkerShown(app, flags.get());
  app->callback([&cli, flags, command] {
    if (command->count() == 0 && !flags->dry_run) throw CLI::RequiredError("command");
    if (!flags->metrics_file.empty() && !flags->metrics_file.ends_with(".prom")) {
      throw CLI::ValidationError("--metrics-file", "must end with .prom, or node_exporter does not read it");
    }
    flags->settings.visibility = std::chrono::seconds(flags->visibility_seconds);
    flags->settings.longest_run = std::chrono::seconds(flags->longest_run_seconds);
    cli.action = [&cli, flags] { return flags->dry_run ? LookOnly(cli, flags->settings) : RunWorker(cli, *flags); };
  });
}

}  // namespace consent::cli
