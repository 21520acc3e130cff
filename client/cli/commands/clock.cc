// consentctl clock show|confirm.
#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

int PrintClock(const absl::StatusOr<ClockState>& clock, const OutputForm& form) {
  if (!clock.ok()) return PrintError(clock.status(), form.json);
  const int64_t offset = clock->wall && clock->trusted
                             ? std::chrono::floor<std::chrono::seconds>(*clock->wall - *clock->trusted).count()
                             : 0;
  Report report;
  report.json = {{"wall", TimeText(clock->wall)},
                 {"trusted", TimeText(clock->trusted)},
                 {"offset_seconds", offset},
                 {"doubtful", clock->doubtful}};
  Table table("clock", {"CLOCK", "TRUSTED TIME", "SECONDS AHEAD", "DOUBTFUL"});
  table.Add({TimeText(clock->wall), TimeText(clock->trusted), std::to_string(offset), YesNo(clock->doubtful)});
  report.tables = {table};
  return Print(report, form, kDone);
}

void AddShowClock(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("show", "What the daemon takes the time to be, and whether it is in doubt");
  app->callback([&cli] {
    cli.action = [&cli] { return cli.WithClient([&](Client& client) { return PrintClock(client.GetClock(), cli); }); };
  });
}

void AddConfirmClock(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "confirm",
      "Vouch for the daemon's clock, where it is right and in doubt: name the time as another clock has it. "
      "Refused where the two are over an hour apart: set the clock first.");
  auto time = std::make_shared<std::optional<Time>>();
  AddTime(app, "time", time.get(), "The time by another clock, such as 2024-05-01T12:00:00Z", TimeForm::kExact)
      ->required();
  app->callback([&cli, time] {
    cli.action = [&cli, time] {
      return cli.WithClient([&](Client& client) { return PrintClock(client.ConfirmClock(**time), cli); });
    };
  });
}

}  // namespace

void AddClock(CLI::App& app, Cli& cli) {
  CLI::App* clock = app.add_subcommand("clock", "The daemon's time, and the word that it is right");
  clock->require_subcommand(1);
  AddShowClock(clock, cli);
  AddConfirmClock(clock, cli);
}

}  // namespace consent::cli
