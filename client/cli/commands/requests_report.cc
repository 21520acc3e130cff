// consentctl requests report.
#include "client/cli/commands/requests.h"

#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

// A hundred of them fit a message even where each names a thousand recordings.
constexpr int kRequestsPerPage = 100;
constexpr Time kAfterEveryDueTime = std::chrono::sys_days(std::chrono::year(9999) / 1 / 1);

struct ReportFlags {
  std::optional<Time> from;
  std::optional<Time> to;
  bool csv = false;
};

absl::Status CountPages(Client& client, DeletionQuery query, DeletionTally* tally) {
  query.causes = {DeletionCause::kRequested};
  query.page_size = kRequestsPerPage;
  do {
    const absl::StatusOr<DeletionPage> page = client.ListDeletionRequests(query);
    if (!page.ok()) return page.status();
    for (const DeletionRequest& request : page->requests) tally->Add(request);
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  return absl::OkStatus();
}

int RunReport(const Cli& cli, const ReportFlags& flags) {
  return cli.WithClient([&](Client& client) {
    DeletionTally tally(*flags.from, *flags.to);
    // Half of a count is no count: an error leaves nothing on standard output.
    if (const absl::Status status = CountRequests(client, &tally); !status.ok()) return PrintError(status, cli.json);
    if (flags.csv) return PrintText(FiguresCsv(tally), kDone);
    Report report;
    report.json = {{"from", TimeText(flags.from)}, {"to", TimeText(flags.to)}, {"regimes", Json::array()}};
    for (const auto& [regime, figures] : tally.ByRegime()) {
      Json json = {{"regime", regime}};
      json.update(FiguresJson(figures));
      report.json["regimes"].push_back(json);
    }
    report.json["total"] = FiguresJson(tally.Total());
    report.tables = {FiguresTable(tally)};
    return Print(report, cli.json, kDone);
  });
}

}  // namespace

absl::Status CountRequests(Client& client, DeletionTally* tally) {
  // What was received before the period may have ended in it; what was received after it counts only while it is open.
  DeletionQuery until_end;
  until_end.received_before = tally->to();
  if (absl::Status status = CountPages(client, until_end, tally); !status.ok()) return status;
  DeletionQuery open_since;
  open_since.received_from = tally->to();
  open_since.due_before = kAfterEveryDueTime;
  return CountPages(client, open_since, tally);
}

void AddRequestsReport(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "report",
      "Figures of a period by regime: requests received, and of these extended; complied with, denied and cancelled in "
      "it, whenever they were received; mean and median days from receipt to completion; open ones that are due and "
      "overdue now, and how many of both wait for a hold's release or have a receipt that is not confirmed in time. "
      "Requests that somebody made, not those that a "
      "changed choice made.");
  auto flags = std::make_shared<ReportFlags>();
  AddBoundary(app, "--from", &flags->from, "The period's first instant")->required();
  AddBoundary(app, "--to", &flags->to, "The first instant that no longer belongs to it")->required();
  app->add_flag("--csv", flags->csv, "As comma-separated values with a header, for a spreadsheet");
  app->callback([&cli, flags] {
    if (*flags->from >= *flags->to) throw CLI::ValidationError("--to", "must lie after --from");
    if (flags->csv && cli.json) throw CLI::ValidationError("--csv", "excludes --json");
    cli.action = [&cli, flags] { return RunReport(cli, *flags); };
  });
}

}  // namespace consent::cli
