// consentctl help|version.
#include "client/cli/help.h"

#include <string>
#include <vector>

#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/times.h"
#include "client/cli/version.h"
#include "client/cli/words.h"

namespace consent::cli {
namespace {

constexpr std::chrono::seconds kPatience{2};

int PrintHelp(const CLI::App& program, const std::vector<std::string>& words) {
  if (words.size() == 1 && words[0] == "exit-codes") return PrintText(ExitCodesHelp(HelpColumns()), kDone);
  if (words.size() == 1 && words[0] == "times") return PrintText(TimesHelp(HelpColumns()), kDone);
  std::string problem;
  const CLI::App* const command = FindCommand(program, words, &problem);
  if (command == nullptr) {
    std::fprintf(stderr, "consentctl: %s\nRun `consentctl help` for all commands.\n", problem.c_str());
    return kUsage;
  }
  return PrintText(PageOf(*command), kDone);
}

// The daemon's version, or why it is not known: it may be down, or tell this caller nothing.
absl::StatusOr<std::string> VersionOfDaemon(const Cli& cli) {
  const absl::StatusOr<std::unique_ptr<Client>> client = cli.Connect();
  if (!client.ok()) return client.status();
  CallOptions options;
  options.deadline = kPatience;
  const absl::StatusOr<DaemonStatus> status = (*client)->GetStatus(options);
  if (!status.ok()) return status.status();
  return status->version;
}

int PrintVersions(const Cli& cli) {
  const absl::StatusOr<std::string> daemon = VersionOfDaemon(cli);
  Report report;
  report.json = {{"consentctl", kVersion}, {"consentd", daemon.ok() ? Json(*daemon) : Json()}};
  Table table("version", {"PROGRAM", "VERSION"});
  table.Add({"consentctl", kVersion});
  table.Add({"consentd", daemon.ok() ? *daemon : "not known: " + ErrorText(daemon.status())});
  report.tables = {table};
  return Print(report, cli, kDone);
}

}  // namespace

void AddHelp(CLI::App& parent, Cli& cli) {
  CLI::App* app =
      parent.add_subcommand("help", "Explain a command; exit-codes: how commands end; times: how times are typed");
  auto words = std::make_shared<std::vector<std::string>>();
  app->add_option("words", *words, "The command, such as settings set; or exit-codes, or times")->type_name("COMMAND");
  app->callback([&cli, &parent, words] { cli.action = [&parent, words] { return PrintHelp(parent, *words); }; });
}

void AddVersion(CLI::App& parent, Cli& cli) {
  CLI::App* app =
      parent.add_subcommand("version", "This program's version, and the daemon's where it answers within 2 seconds");
  app->callback([&cli] { cli.action = [&cli] { return PrintVersions(cli); }; });
}

}  // namespace consent::cli
