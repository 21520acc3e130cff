// consentctl requests report.
#include "client/cli/commands/requests.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/engines/period_figures.h"
#include "client/cli/engines/period_tally.h"
#include "client/cli/engines/standing_figures.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_report.h"

namespace consent::cli {
namespace {

// A hundred of them fit a message even where each names a thousand recordings.
constexpr int kRequestsPerPage = 100;

struct ReportFlags {
  std::optional<Time> from;
  std::optional<Time> to;
  bool csv = false;
  bool html = false;
  std::string by;
};

using Visit = std::function<void(const DeletionRequest&)>;

// What was received before the period may have ended in it; what was received after it counts only while it is open.
absl::Status ReadRequests(Client& client, Time to, const Visit& visit) {
  DeletionQuery until_end;
  until_end.received_before = to;
  if (absl::Status status = ReadRequestPages(client, until_end, visit); !status.ok()) return status;
  DeletionQuery open_since;
  open_since.received_from = to;
  open_since.due_before = kAfterEveryDueTime;
  return ReadRequestPages(client, open_since, visit);
}

absl::Status ReadHolds(Client& client, PeriodTally* tally) {
  HoldQuery query;
  query.include_released = true;
  query.page_size = kRequestsPerPage;
  do {
    const absl::StatusOr<HoldPage> page = client.ListHolds(query);
    if (!page.ok()) return page.status();
    for (const Hold& hold : page->holds) tally->Add(hold);
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  return absl::OkStatus();
}

absl::Status ReadChoices(Client& client, ChoicesQuery query, const std::function<void(const ChoicesPage&)>& visit) {
  query.page_size = 1000;
  do {
    const absl::StatusOr<ChoicesPage> page = client.ListChoices(query);
    if (!page.ok()) return page.status();
    visit(*page);
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  return absl::OkStatus();
}

// Each month that the time touches and that has begun, as a whole: rates are counted by months. Of one whose counts are
// gone there are none. `now`: by the daemon's clock.
absl::Status ReadRates(Client& client, const ReportFlags& flags, Time now, std::vector<Figure>* figures) {
  for (const std::string& month : MonthsOf(*flags.from, std::min(*flags.to, now))) {
    const absl::StatusOr<std::vector<HeardRate>> rates = client.reviews().ListRates(month);
    if (!rates.ok()) return rates.status();
    for (Figure& figure : RateFiguresOf(month, *rates)) figures->push_back(std::move(figure));
  }
  return absl::OkStatus();
}

// Reads all that the figures need; half of a count is no count.
absl::Status ReadAll(Client& client, const ReportFlags& flags, PeriodTally* tally, DeletionTally* now) {
  absl::Status status = ReadRequests(client, *flags.to, [&](const DeletionRequest& request) {
    tally->Add(request);
    now->Add(request);
  });
  if (!status.ok()) return status;
  if (status = ReadHolds(client, tally); !status.ok()) return status;
  ChoicesQuery query;
  query.from = *flags.from;
  query.before = *flags.to;
  query.to = {Choice::kRefused, Choice::kWithdrawn};
  status = ReadChoices(client, query, [tally](const ChoicesPage& page) { tally->AddNoes(page); });
  if (!status.ok()) return status;
  query.to = {Choice::kGiven};
  return ReadChoices(client, query, [tally](const ChoicesPage& page) { tally->AddConsents(page); });
}

PeriodUnit UnitOf(const std::string& by) {
  if (by == "month") return PeriodUnit::kMonth;
  if (by == "quarter") return PeriodUnit::kQuarter;
  if (by == "half-year") return PeriodUnit::kHalfYear;
  return by == "year" ? PeriodUnit::kYear : PeriodUnit::kWhole;
}

int PrintPeriods(const Cli& cli, const ReportFlags& flags, const PeriodTally& tally,
                 const std::vector<Figure>& figures) {
  ReportHead head{TimeText(flags.from), TimeText(flags.to), flags.by.empty() ? "whole" : flags.by, {}, {}};
  for (const ReportPeriod& period : tally.periods()) {
    if (!period.whole) head.partial_periods.push_back(period.name);
  }
  if (tally.choices().erased > 0) {
    head.caveat =
        std::to_string(tally.choices().erased) +
        " entries of that time are of accounts that were closed and erased since; what they chose is not counted.";
  }
  if (tally.choices().truncated) head.caveat += " The store no longer has the oldest entries of that time.";
  if (flags.html) return PrintText(ReportHtml(head, figures), kDone);
  if (flags.csv) return PrintText(ReportCsv(figures), kDone);
  Report report;
  report.json = ReportJson(head, figures);
  Table table("figure", {"SECTION", "PERIOD", "GROUP", "FIGURE", "VALUE"});
  for (const Figure& figure : figures) {
    table.Add({figure.section, figure.period, figure.group, figure.name, ValueText(figure.value)});
  }
  report.tables = {table};
  return Print(report, cli, kDone);
}

int RunPeriods(const Cli& cli, const ReportFlags& flags) {
  return cli.WithClient([&](Client& client) {
    PeriodTally tally(PeriodsOf(*flags.from, *flags.to, UnitOf(flags.by)));
    DeletionTally now(*flags.from, *flags.to);
    // An error leaves nothing on standard output.
    if (const absl::Status status = ReadAll(client, flags, &tally, &now); !status.ok()) {
      return PrintError(status, cli.json);
    }
    const absl::StatusOr<DaemonStatus> status = client.GetStatus();
    if (!status.ok()) return PrintError(status.status(), cli.json);
    std::vector<Figure> figures = FiguresOf(tally, now);
    const absl::Status read = ReadRates(client, flags, status->read_at.value_or(*flags.to), &figures);
    if (!read.ok()) return PrintError(read, cli.json);
    for (Figure& figure : StandingOf(*status)) figures.push_back(std::move(figure));
    return PrintPeriods(cli, flags, tally, figures);
  });
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
    return Print(report, cli, kDone);
  });
}

}  // namespace

absl::Status ReadRequestPages(Client& client, DeletionQuery query,
                              const std::function<void(const DeletionRequest&)>& visit) {
  query.causes = {DeletionCause::kRequested};
  query.page_size = kRequestsPerPage;
  do {
    const absl::StatusOr<DeletionPage> page = client.ListDeletionRequests(query);
    if (!page.ok()) return page.status();
    for (const DeletionRequest& request : page->requests) visit(request);
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  return absl::OkStatus();
}

absl::Status CountRequests(Client& client, DeletionTally* tally) {
  return ReadRequests(client, tally->to(), [tally](const DeletionRequest& request) { tally->Add(request); });
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
  AddTime(app, "--from", &flags->from, "The period's first instant", TimeForm::kFirst)->required();
  AddTime(app, "--to", &flags->to, "The first instant that no longer belongs to it", TimeForm::kFirst)->required();
  app->add_flag("--csv", flags->csv, "As comma-separated values with a header, for a spreadsheet");
  app->add_flag(
      "--html", flags->html,
      "As one page with plots and tables that needs nothing else, with holds, opt-outs, consents by notice, what data "
      "systems kept, which part of the utterances people listened to, and how everything stands now");
  app->add_option("--by", flags->by,
                  "The same figures as --html for each month, quarter, half-year or year of UTC's calendar, with --csv "
                  "or --json as one list")
      ->check([](const std::string& text) {
        const bool is_unit = text == "month" || text == "quarter" || text == "half-year" || text == "year";
        return std::string(is_unit ? "" : "must be one of month, quarter, half-year, year");
      })
      ->type_name("UNIT");
  app->callback([&cli, flags] {
    if (*flags->from >= *flags->to) throw CLI::ValidationError("--to", kEmptyPeriod);
    if (flags->csv && cli.json) throw CLI::ValidationError("--csv", "cannot be given beside --json");
    if (flags->html && (flags->csv || cli.json))
      throw CLI::ValidationError("--html", "cannot be given beside --csv or --json");
    if (flags->html || !flags->by.empty()) {
      if (PeriodsOf(*flags->from, *flags->to, UnitOf(flags->by)).empty()) {
        throw CLI::ValidationError("--by", "gives more than " + std::to_string(kMostPeriods) +
                                               " periods: ask for a shorter time, or for longer ones");
      }
      cli.action = [&cli, flags] {
        // Half of a count is no count, so a signal ends it at once, with a word.
        const StopRequest stop(std::chrono::milliseconds(0), StopRequest::AtOnce::kEndsProcess);
        return stop.status().ok() ? RunPeriods(cli, *flags) : FileError(stop.status());
      };
      return;
    }
    cli.action = [&cli, flags] {
      const StopRequest stop(std::chrono::milliseconds(0), StopRequest::AtOnce::kEndsProcess);
      return stop.status().ok() ? RunReport(cli, *flags) : FileError(stop.status());
    };
  });
}

}  // namespace consent::cli
