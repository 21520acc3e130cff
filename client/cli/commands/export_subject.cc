// consentctl export-subject.

#include "client/cli/command.h"
#include "client/cli/commands/decisions.h"
#include "client/cli/engines/subject_export.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/times.h"

namespace consent::cli {
namespace {

struct ExportFlags {
  AccountId account;
  std::vector<std::string> decisions;
  std::string output;
  bool force = false;
  bool text = false;
};

int RunExport(const Cli& cli, const ExportFlags& flags) {
  return cli.WithClient([&](Client& client) {
    const Time now = SystemTime();
    absl::StatusOr<SubjectExport> subject = ReadSubject(client, flags.account);
    if (!subject.ok()) return PrintError(subject.status(), cli.json);
    if (!flags.decisions.empty()) {
      absl::StatusOr<SubjectExport::Decisions> decisions =
          ReadSubjectDecisions(client, flags.account, flags.decisions, now);
      if (!decisions.ok()) return PrintReadError(decisions.status(), cli.json);
      subject->decisions = *std::move(decisions);
    }
    const int done = subject->decisions.has_value() && !SawAll(subject->decisions->counts) ? kUnreadable : kDone;
    const std::string document = flags.text ? ExportText(*subject, now) : JsonText(ExportJson(*subject, now));
    if (flags.output.empty()) return PrintText(document, done);
    const absl::Status written = WriteWholeFile(flags.output, document, flags.force);
    return written.ok() ? done : FileError(written);
  });
}

}  // namespace

void AddExportSubject(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand("export-subject",
                                        "All that consentd holds about one subject, as one JSON object: region, "
                                        "profiles, devices, settings, the whole history with its "
                                        "evidence, requests to delete, legal holds, and what people were given to hear "
                                        "of it; with --decisions what was answered yes "
                                        "about it. It does not hold recordings nor "
                                        "what was made of them (ask the data systems), nor which "
                                        "recordings were reported; ended requests and released holds no longer say "
                                        "what they were about. What it prints is about a person: keep it "
                                        "safe.");
  auto flags = std::make_shared<ExportFlags>();
  AddId(app, "account", &flags->account, "The account")->required();
  CLI::Option* output = NotEmpty(app->add_option("--output", flags->output,
                                                 "Write this file instead of standard output: whole or not at all, "
                                                 "mode 0600; one that is there is left as it is"));
  app->add_flag("--force", flags->force, "Replace the file that --output names")->needs(output);
  NotEmpty(app->add_option("--decisions", flags->decisions,
                           "Files of the decision log: contains what they have of the subject"))
      ->type_name("FILE");
  app->add_flag("--text", flags->text, "As text to read, under headings");
  app->callback([&cli, flags] {
    if (flags->text && cli.json) throw CLI::ValidationError("--text", "cannot be given beside --json");
    cli.action = [&cli, flags] { return RunExport(cli, *flags); };
  });
}

}  // namespace consent::cli
