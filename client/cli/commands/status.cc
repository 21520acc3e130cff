// consentctl status.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "client/cli/command.h"
#include "client/cli/engines/status_review.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render_status.h"

namespace consent::cli {
namespace {

Report StatusReport(const DaemonStatus& status, const std::vector<StatusLine>& lines) {
  Report report;
  report.json = StatusJson(status);
  report.json["lines"] = Json::array();
  Table table("status", {"", "WHAT", "HOW IT STANDS"});
  for (const StatusLine& line : lines) {
    report.json["lines"].push_back(
        {{"what", line.what}, {"state", line.state}, {"needs_person", line.needs_person}, {"next", line.next}});
    table.Add({line.needs_person ? "!" : "", line.what, line.state});
    if (line.needs_person) table.Add({"", "", "-> " + line.next});
  }
  report.tables = {table};
  return report;
}

int RunStatus(const Cli& cli) {
  return cli.WithClient([&cli](Client& client) {
    const absl::StatusOr<DaemonStatus> status = client.GetStatus();
    if (!status.ok()) {
      const int code = PrintError(status.status(), cli.json);
      // Why it does not serve is known where it runs.
      if (code == kNoAnswer) std::fprintf(stderr, "On its host: systemctl status consentd; journalctl -u consentd\n");
      return code;
    }
    const std::vector<StatusLine> lines = ReviewStatus(*status);
    const bool is_well =
        std::none_of(lines.begin(), lines.end(), [](const StatusLine& line) { return line.needs_person; });
    Report report = StatusReport(*status, lines);
    report.json["needs_person"] = !is_well;
    return Print(report, cli, is_well ? kDone : kNeedsPerson);
  });
}

}  // namespace

void AddStatus(CLI::App& app, Cli& cli) {
  CLI::App* status = app.add_subcommand(
      "status", "How the daemon stands, on one screen: what needs a person is marked, with what to do about it");
  status->callback([&cli] { cli.action = [&cli] { return RunStatus(cli); }; });
}

}  // namespace consent::cli
