// consentctl sweep.
#include <unistd.h>

#include <algorithm>

#include "client/cli/command.h"
#include "client/cli/engines/sweep_engine.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/input_file.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "client/cli/times.h"
#include "daemon/base/bounds.h"
#include "daemon/base/time.h"

namespace consent::cli {
namespace {

// What runs may go on for after the first signal to stop.
constexpr std::chrono::seconds kSweepPatience{30};

struct SweepFlags {
  SweepSettings settings;
  std::string system;
  std::string input;
  std::string state_path;
  std::vector<std::string> set;
  int64_t longest_run_seconds = 3600;
  bool show_errors = false;
  std::vector<std::string> command;
};

// Standard error: counts on a terminal, and lines about what goes wrong.
class SweepConsole final : public SweepSink {
 public:
  SweepConsole(uint64_t total_bytes, bool as_json) : bar_(total_bytes, !as_json), as_json_(as_json) {}

  void Unanswered(uint64_t line, const std::string& why) override {
    if (++unanswered_ > kMostPrinted) return;
    Say("line " + std::to_string(line) + ": " + why);
    if (unanswered_ == kMostPrinted) Say("further lines without an answer are only counted");
  }
  void Failed(size_t recordings, const std::string& why) override {
    if (++failed_ > kMostPrinted) return;
    Say(std::to_string(recordings) + " that must go could not be purged: " + why);
    if (failed_ == kMostPrinted) Say("further ones are only counted");
  }
  void Progress(uint64_t line, uint64_t bytes, const SweepCounts& counts) override {
    bar_.Show(bytes, std::to_string(line) + " lines, " + std::to_string(counts.purged) + " purged, " +
                         std::to_string(counts.failed) + " left");
  }

  ProgressBar& bar() { return bar_; }

 private:
  void Say(const std::string& what) {
    if (!as_json_) bar_.Say("consentctl: " + what);
  }

  ProgressBar bar_;
  const bool as_json_;
  uint64_t unanswered_ = 0;
  uint64_t failed_ = 0;
};

std::string WhySweepEnded(const SweepEnd& end) {
  const std::string where =
      " behind line " + std::to_string(end.line) + "; the same command with the same --state goes on there. ";
  switch (end.how) {
    case SweepEnd::How::kComplete:
      return "";
    case SweepEnd::How::kStopped:
      return "it was stopped" + where;
    case SweepEnd::How::kInputFailed:
      return "the inventory cannot be read" + where + std::string(end.status.message());
    case SweepEnd::How::kStateFailed:
      return "it cannot be kept how far the sweep has come" + where + std::string(end.status.message());
    case SweepEnd::How::kDaemonFailed:
      break;
  }
  return "the daemon gives no answer" + where + ErrorText(end.status);
}

// What came of it all.
struct SweepSummary {
  SweepEnd end;
  SweepCounts counts;
  std::map<std::string, uint64_t> purged_by_reason;
  absl::Status reported = absl::CancelledError("a sweep that did not come to its end is not reported");
};

int PrintSweep(const SweepSummary& summary, const OutputForm& form) {
  std::string why = WhySweepEnded(summary.end);
  const bool complete = why.empty();
  if (complete && !summary.reported.ok()) {
    why = "the report was not taken; the same command with the same --state reports again. " +
          ErrorText(summary.reported);
  }
  if (!why.empty()) std::fprintf(stderr, "consentctl: %s\n", Printable(why).c_str());
  const SweepCounts& counts = summary.counts;
  Report report;
  report.json = SweepCountsJson(counts);
  report.json["purged_by_reason"] = summary.purged_by_reason;
  report.json["complete"] = complete;
  report.json["whole"] = complete && counts.failed == 0 && counts.unanswered == 0;
  report.json["reported"] = summary.reported.ok();
  report.json["error"] = why;
  Table table("sweep", {"ASKED", "KEPT", "HELD", "PURGED", "NOT FOUND", "LEFT", "WITHOUT ANSWER", "REPORTED"});
  table.Add({std::to_string(counts.asked()), std::to_string(counts.kept), std::to_string(counts.held),
             std::to_string(counts.purged), std::to_string(counts.not_found), std::to_string(counts.failed),
             std::to_string(counts.unanswered), YesNo(summary.reported.ok())});
  Table reasons("purged", {"PURGED BECAUSE", "RECORDINGS"});
  for (const auto& [reason, count] : summary.purged_by_reason) reasons.Add({reason, std::to_string(count)});
  report.tables = {table, reasons};
  const ExitCode code =
      complete && !summary.reported.ok() ? CodeFor(summary.reported) : CodeForSweep(summary.end, counts);
  return Print(report, form, code);
}

absl::Status ReportOf(Client& client, const std::string& system, SweepState& state) {
  Sweep sweep;
  int64_t started_us = 0;
  if (!base::ParseTimestamp(state.started_at(), &started_us)) {
    return absl::InternalError("the state file's time cannot be read");
  }
  sweep.started_at = Time(std::chrono::microseconds(started_us));
  // A clock that was set back since is behind the beginning.
  sweep.ended_at = std::max(SystemTime(), *sweep.started_at);
  sweep.counts = state.counts();
  const absl::StatusOr<DataSystem> taken = client.ReportSweep(system, sweep);
  return taken.ok() ? state.Reported() : taken.status();
}

// The system, which must be there and active before anything is purged in its name.
absl::StatusOr<DataSystem> FindSystem(Client& client, const std::string& name) {
  const absl::StatusOr<std::vector<DataSystem>> systems = client.ListDataSystems();
  if (!systems.ok()) return systems.status();
  for (const DataSystem& system : *systems) {
    if (system.name == name && system.state == DataSystemState::kActive) return system;
  }
  return absl::NotFoundError(
      "no active data system of that name is registered, or the caller does not work for it; `systems list` says which "
      "there are");
}

int Sweeping(const Cli& cli, const SweepFlags& flags, const TaskCommand& command, const StopRequest& stop,
             const Descriptor& input, Client& client) {
  const absl::StatusOr<DataSystem> system = FindSystem(client, flags.system);
  if (!system.ok()) return PrintError(system.status(), cli.json);
  SweepOf of{"", flags.system, TimeText(system->registered_at)};
  if (!flags.state_path.empty()) {
    absl::StatusOr<std::string> hash = HashOfInput(input.get());
    if (!hash.ok()) return FileError(hash.status());
    of.input_hash = *std::move(hash);
  }
  absl::StatusOr<SweepState> state = SweepState::Open(flags.state_path, of, TimeText(SystemTime()));
  if (!state.ok()) return FileError(state.status());
  const absl::Status distinct = CheckDistinct(
      {{"the inventory", input.get()}, {"standard output", STDOUT_FILENO}, {"--state", state->descriptor()}});
  if (!distinct.ok()) return FileError(distinct);
  if (absl::Status begun = state->Begin(); !begun.ok()) return FileError(begun);
  if (::lseek(input.get(), 0, SEEK_SET) < 0) {
    return FileError(absl::FailedPreconditionError("the inventory cannot be read from its beginning"));
  }
  const std::shared_ptr<Clock> clock = Clock::System();
  SweepConsole console(SizeOf(input.get()), cli.json);
  LineReader reader(input.get(), kMaxLineBytes);
  SweepEngine engine(flags.settings, client, command, OwnEnvironment(), stop, *clock, *state, console);
  SweepSummary summary;
  summary.end = engine.Run(reader);
  console.bar().Clear();
  summary.counts = state->counts();
  summary.purged_by_reason = engine.purged_by_reason();
  if (summary.end.how == SweepEnd::How::kComplete) summary.reported = ReportOf(client, flags.system, *state);
  return PrintSweep(summary, cli);
}

int RunSweep(const Cli& cli, SweepFlags flags) {
  absl::StatusOr<Descriptor> opened = OpenInput(flags.input);
  if (!opened.ok()) return FileError(opened.status());
  const absl::StatusOr<Descriptor> input = Rereadable(*std::move(opened));
  if (!input.ok()) return FileError(input.status());
  const absl::StatusOr<TaskCommand> command = TaskCommand::Create(flags.command, flags.show_errors);
  if (!command.ok()) return FileError(command.status());
  // Both before the client has threads.
  const absl::StatusOr<std::unique_ptr<OrphanGuard>> guard = OrphanGuard::Start();
  if (!guard.ok()) return FileError(guard.status());
  flags.settings.guard = guard->get();
  const StopRequest stop(kSweepPatience);
  if (!stop.status().ok()) return FileError(stop.status());
  return cli.WithClient([&](Client& client) { return Sweeping(cli, flags, *command, stop, *input, client); });
}

absl::StatusOr<LineDefaults> DefaultsOf(const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) return absl::InvalidArgumentError("must be KEY=VALUE, such as wake=BUTTON");
    settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return LineDefaults::Create(settings);
}

void AddSweepOptions(CLI::App* app, SweepFlags* flags) {
  SweepSettings& settings = flags->settings;
  AddText(app, "system", &flags->system, 1, base::kMaxNameBytes, "The data system, as `systems register` named it")
      ->required();
  NotEmpty(app->add_option("inventory", flags->input,
                           "All that it has, as JSON lines that `filter` reads; - for standard input"))
      ->required();
  app->add_option("command", flags->command, "After --: the program and its arguments")
      ->required()
      ->type_name("COMMAND");
  NotEmpty(app->add_option("--state", flags->state_path,
                           "Keep here how far the sweep has come; run again with the same file and inventory to go on"))
      ->type_name("FILE");
  app->add_option("--set", flags->set,
                  "KEY=VALUE for lines that lack the key: artefact, made_for, wake, region, …; several times. Never "
                  "replaces what a line says.")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  AddNumber(app, "--batch", &settings.batch, 1, kMaxBatch, "Lines in one call, 1 to 1000 (default 500)");
  AddNumber(app, "--parallel", &settings.parallel, 1, 64, "Runs at the same time, 1 to 64 (default 1)");
  AddNumber(app, "--longest-run", &flags->longest_run_seconds, 1, 43'200,
            "Seconds that a command may take, 1 to 43200 (default 3600); it is ended then")
      ->type_name("SECONDS");
  app->add_flag("--stdin-only", settings.stdin_only,
                "No CONSENT_… variables: what is to be deleted stands on standard input only");
  app->add_flag("--show-errors", flags->show_errors,
                "The command's standard error is this one's; else it is thrown away, because it may name people");
}

}  // namespace

void AddSweep(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand(
      "sweep",
      "Ask about all that a data system has, hand what must go to the worker's COMMAND, account by account, and report "
      "what came of it. It is run as `worker` runs it, with the selector `recordings`, or `copies` where the audio "
      "stays, and cause SWEEP; it ends with 0: deleted; 3: there was nothing; anything else: failed. A recording "
      "without an answer is never purged, and a sweep that left any, or could not purge all, is not whole and does not "
      "count. SIGTERM or SIGINT: no further run is begun.");
  auto flags = std::make_shared<SweepFlags>();
  AddSweepOptions(app, flags.get());
  app->callback([&cli, flags] {
    absl::StatusOr<LineDefaults> defaults = DefaultsOf(flags->set);
    if (!defaults.ok()) throw CLI::ValidationError("--set", std::string(defaults.status().message()));
    flags->settings.defaults = *std::move(defaults);
    flags->settings.longest_run = std::chrono::seconds(flags->longest_run_seconds);
    cli.action = [&cli, flags] { return RunSweep(cli, *flags); };
  });
}

}  // namespace consent::cli
