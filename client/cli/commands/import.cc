// consentctl import.
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/engines/call_gate.h"
#include "client/cli/engines/import_engine.h"
#include "client/cli/engines/import_trial.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/input_file.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

struct ImportFlags {
  std::string input;
  std::string state_path;
  std::string refused_path;
  size_t parallel = 16;
  bool dry_run = false;
  bool force = false;
};

class ImportReport final : public ImportSink {
 public:
  ImportReport(LineFile refused, uint64_t total_bytes, bool visible)
      : refused_(std::move(refused)), bar_(total_bytes * 2, visible), total_bytes_(total_bytes) {}

  absl::Status Refused(const RefusedPart& part) override {
    Say(part.number, part.part + ": " + part.reason + ": " + part.message);
    return WriteRefused(part);
  }

  void Odd(uint64_t number, const std::string& what) override { Say(number, what); }

  absl::Status Unreadable(uint64_t number, const std::string& why) override {
    Say(number, why);
    return WriteRefused({number, "line", "UNREADABLE", why});
  }

  void Progress(int pass, uint64_t line, uint64_t bytes) override {
    bar_.Show(bytes + (pass == 2 ? total_bytes_ : 0),
              (pass == 1 ? "restrictions, line " : "registrations and consents, line ") + std::to_string(line));
  }

  ProgressBar& bar() { return bar_; }

 private:
  absl::Status WriteRefused(const RefusedPart& part) {
    const Json json = {{"line", part.number}, {"part", part.part}, {"reason", part.reason}, {"message", part.message}};
    return refused_.Write(PrintableJson(json.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n");
  }

  void Say(uint64_t number, const std::string& what) {
    if (++printed_ > kMostPrinted) return;
    bar_.Say("line " + std::to_string(number) + ": " + what);
    if (printed_ == kMostPrinted) std::fprintf(stderr, "further problems are only counted, and written to --refused\n");
  }

  LineFile refused_;
  ProgressBar bar_;
  const uint64_t total_bytes_;
  uint64_t printed_ = 0;
};

std::string WhyItEnded(const ImportEnd& end, bool dry_run, bool keeps_state) {
  if (end.how == ImportEnd::How::kComplete) return "";
  if (end.how == ImportEnd::How::kInputFailed) return "the input cannot be read: " + std::string(end.status.message());
  if (end.how == ImportEnd::How::kOutputFailed) return ErrorText(end.status);
  if (end.how == ImportEnd::How::kStopped && dry_run) {
    return "stopped before line " + std::to_string(end.line) + "; nothing was written. Run the same command again";
  }
  if (end.how == ImportEnd::How::kStopped) {
    return "stopped before line " + std::to_string(end.line) +
           (end.pass == 1 ? " of the restrictions; no consent was sent" : " of the registrations and consents") +
           ". Run the same command again to go on, within 72 hours" +
           (keeps_state ? "" : "; without --state it begins at the first line, and does nothing twice");
  }
  if (dry_run) return "stopped at line " + std::to_string(end.line) + "; nothing was written. " + ErrorText(end.status);
  const std::string where =
      end.pass == 1 ? " of the restrictions; no consent was sent" : " of the registrations and consents";
  return "stopped at line " + std::to_string(end.line) + where +
         ". Run the same command again to go on, within 72 hours. " + ErrorText(end.status);
}

int PrintSummary(const ImportEnd& end, const ImportCounts& counts, const ImportFlags& flags, const OutputForm& form) {
  const std::string why = WhyItEnded(end, flags.dry_run, !flags.state_path.empty());
  if (!why.empty()) std::fprintf(stderr, "consentctl: %s\n", why.c_str());
  Report report;
  report.json = {{"lines", counts.lines},           {"imported", counts.imported}, {"refused", counts.refused},
                 {"unreadable", counts.unreadable}, {"complete", why.empty()},     {"error", why}};
  Table table("import", {"LINES", "IMPORTED", "REFUSED", "UNREADABLE", "COMPLETE"});
  table.Add({std::to_string(counts.lines), std::to_string(counts.imported), std::to_string(counts.refused),
             std::to_string(counts.unreadable), YesNo(why.empty())});
  report.tables = {table};
  // A trial sends no line's consents one behind the other, so it cannot tell.
  if (!flags.dry_run) {
    report.json["unreached"] = counts.unreached;
    Table unreached("unreached", {"LINES NOT ALL REACHED", "WHAT AND WHY"});
    unreached.Add({std::to_string(counts.unreached), "consentctl settings get ACCOUNT"});
    if (counts.unreached > 0) report.tables.push_back(unreached);
  }
  int code = kDone;
  if (end.how == ImportEnd::How::kStopped) {
    code = kStopped;
  } else if (end.how == ImportEnd::How::kDaemonFailed) {
    code = CodeFor(end.status);
  } else if (end.how != ImportEnd::How::kComplete) {
    code = kFiles;
  } else if (counts.unreadable > 0) {
    code = kUnreadable;
  } else if (counts.refused > 0) {
    code = kNotAllCounted;
  }
  return Print(report, form, code);
}

int RunTrial(const Cli& cli, const ImportFlags& flags, const StopRequest& stop) {
  absl::StatusOr<Descriptor> opened = OpenInput(flags.input);
  if (!opened.ok()) return FileError(opened.status());
  const absl::StatusOr<Descriptor> input = Rereadable(*std::move(opened));
  if (!input.ok()) return FileError(input.status());
  absl::StatusOr<LineFile> refused = LineFile::Open(flags.refused_path);
  if (!refused.ok()) return FileError(refused.status());
  const absl::Status distinct = CheckDistinct(
      {{"the input", input->get()}, {"standard output", STDOUT_FILENO}, {"--refused", refused->descriptor()}});
  if (!distinct.ok()) return FileError(distinct);
  return cli.WithClient([&](Client& client) {
    if (absl::Status free = MayReplace("--refused", *refused, flags.force); !free.ok()) return FileError(free);
    if (absl::Status cut = refused->KeepFirst(0); !cut.ok()) return FileError(cut);
    const std::shared_ptr<Clock> clock = Clock::System();
    CallGate gate(1, *clock);
    ImportReport report(*std::move(refused), SizeOf(input->get()), !cli.json);
    ImportTrial trial(client, gate, report, stop.sign());
    const ImportEnd end = trial.Run(input->get());
    report.bar().Clear();
    return PrintSummary(end, trial.counts(), flags, cli);
  });
}

int RunImport(const Cli& cli, const ImportFlags& flags, const StopRequest& stop) {
  absl::StatusOr<Descriptor> opened = OpenInput(flags.input);
  if (!opened.ok()) return FileError(opened.status());
  const absl::StatusOr<Descriptor> input = Rereadable(*std::move(opened));
  if (!input.ok()) return FileError(input.status());
  const absl::StatusOr<std::string> hash = HashOfInput(input->get());
  if (!hash.ok()) return FileError(hash.status());
  absl::StatusOr<ImportState> state = ImportState::Open(flags.state_path, *hash, *Random::System());
  if (!state.ok()) return FileError(state.status());
  absl::StatusOr<LineFile> refused = LineFile::Open(flags.refused_path);
  if (!refused.ok()) return FileError(refused.status());
  const absl::Status distinct = CheckDistinct({{"the input", input->get()},
                                               {"standard output", STDOUT_FILENO},
                                               {"--state", state->descriptor()},
                                               {"--refused", refused->descriptor()}});
  if (!distinct.ok()) return FileError(distinct);
  return cli.WithClient([&](Client& client) {
    std::string store;
    if (!flags.state_path.empty()) {
      const absl::StatusOr<StoredPolicy> current = client.GetPolicy("");
      if (!current.ok()) return PrintError(current.status(), cli.json);
      store = base::Hex(current->store_id);
    }
    if (state->Reached(1) == 0) {
      if (absl::Status free = MayReplace("--refused", *refused, flags.force); !free.ok()) return FileError(free);
    }
    // Only once nothing is wrong with the command line: what the files held is lost by it.
    if (absl::Status begun = state->Begin(store); !begun.ok()) return FileError(begun);
    const bool goes_on = state->Reached(1) > 0;
    if (absl::Status cut = refused->KeepFirst(goes_on ? SizeOf(refused->descriptor()) : 0); !cut.ok()) {
      return FileError(cut);
    }
    ImportReport report(*std::move(refused), SizeOf(input->get()), !cli.json);
    Import import(client, *state, report, flags.parallel, stop.sign());
    const ImportEnd end = import.Run(input->get());
    report.bar().Clear();
    return PrintSummary(end, import.counts(), flags, cli);
  });
}

}  // namespace

void AddImport(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand(
      "import",
      "Bring in subjects and choices made elsewhere, one JSON object per line: account_id, region, profiles, devices, "
      "choices, retention (see client/cli/README.md). Every restriction of the whole input is in force before the "
      "first "
      "registration or consent is sent, whatever else is wrong with its line. An import fills what is unset and "
      "changes nothing "
      "towards more. Sending the same lines again within 72 hours changes nothing.");
  auto flags = std::make_shared<ImportFlags>();
  NotEmpty(app->add_option("input", flags->input, "A file; - for standard input"))->required();
  NotEmpty(
      app->add_option(
          "--state", flags->state_path,
          "Keep here how far the import into this daemon has come; run again with the same file and input to go on"))
      ->type_name("FILE");
  NotEmpty(app->add_option("--refused", flags->refused_path,
                           "Write here what does not count: the line's number, which part, and why"))
      ->type_name("FILE");
  AddForce(app, &flags->force, "--refused");
  AddNumber(app, "--parallel", &flags->parallel, 1, 256, "Calls at the same time, 1 to 256 (default 16)");
  app->add_flag("--dry-run", flags->dry_run,
                "Write nothing: say of each line what of it would not count if it were imported now");
  app->callback([&cli, flags] {
    if (flags->dry_run && !flags->state_path.empty()) {
      throw CLI::ValidationError("--dry-run", "writes nothing, so it takes no --state");
    }
    cli.action = [&cli, flags] {
      const StopRequest stop(kLinesPatience, StopRequest::AtOnce::kEndsProcess);
      if (!stop.status().ok()) return FileError(stop.status());
      return flags->dry_run ? RunTrial(cli, *flags, stop) : RunImport(cli, *flags, stop);
    };
  });
}

}  // namespace consent::cli
