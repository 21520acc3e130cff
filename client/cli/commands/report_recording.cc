// consentctl report-recording: what was found in one recording.
#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"

namespace consent::cli {

void AddReportRecording(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand(
      "report-recording", "Store what was found in a recording. It counts from now on and is never taken back.");
  auto report = std::make_shared<RecordingReport>();
  AddId(app, "account", &report->account_id, "Whose recording it is")->required();
  AddId(app, "recording", &report->recording_id, "Which recording it is")->required();
  AddNames(app, "--flag", &report->flags, "What was found; several times")->required();
  AddEvidence(app, &report->evidence);
  app->callback([&cli, report] {
    cli.action = [&cli, report] {
      return cli.WithClient([&](Client& client) {
        const auto done = client.ReportRecording(*report);
        if (!done.ok()) return PrintError(done.status(), cli.json);
        Report printed;
        printed.json = {{"flags", NamesJson(done->flags)},
                        {"revision", done->revision.value()},
                        {"account_closed", done->account_closed}};
        Table table("report", {"FLAGS NOW", "ETAG", "ACCOUNT CLOSED"});
        table.Add({NamesText(done->flags), done->revision.value(), YesNo(done->account_closed)});
        printed.tables = {table};
        TellNewSubject(done->subject_is_new, &printed);
        TellUnusable(done->unusable, &printed);
        return Print(printed, cli, done->unusable.empty() ? kDone : kPartlyRefused);
      });
    };
  });
}

}  // namespace consent::cli
