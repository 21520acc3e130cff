// consentctl settings history|at.
#include "client/cli/commands/settings.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "client/cli/render/render_subject.h"
#include "client/cli/render/render_texts.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

Report HistoryReport(const HistoryPage& page) {
  Report report;
  report.json = {
      {"entries", Json::array()}, {"next_page_token", page.next_page_token}, {"texts", ShownTextsJson(page.texts)}};
  for (const HistoryEntry& entry : page.entries) report.json["entries"].push_back(HistoryEntryJson(entry));
  report.tables = {HistoryTable(page.entries), NextPageTable(page.next_page_token)};
  return report;
}

struct HistoryFlags {
  AccountId account;
  int page_size = 0;
  std::string page;
};

}  // namespace

void AddHistory(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("history", "Who changed what when, newest first");
  auto flags = std::make_shared<HistoryFlags>();
  AddId(app, "account", &flags->account, "The account")->required();
  AddPage(app, &flags->page_size, &flags->page, "Entries");
  app->callback([&cli, flags] {
    cli.action = [&cli, flags] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.ListSettingsHistory(flags->account, flags->page_size, flags->page);
        return page.ok() ? Print(HistoryReport(*page), cli, kDone) : PrintError(page.status(), cli.json);
      });
    };
  });
}

void AddAt(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("at", "The settings and the policy that were in force at a past time");
  auto account = std::make_shared<AccountId>();
  auto at = std::make_shared<std::optional<Time>>();
  auto options = std::make_shared<CallOptions>();
  AddId(app, "account", account.get(), "The account")->required();
  AddTime(app, "time", at.get(), "The time", TimeForm::kFirst)->required();
  AddTextLanguage(app, options.get());
  app->callback([&cli, account, at, options] {
    cli.action = [&cli, account, at, options] {
      return cli.WithClient([&](Client& client) {
        const auto past = client.GetSettingsAt(*account, **at, *options);
        if (!past.ok()) return PrintError(past.status(), cli.json);
        Report report;
        report.json = {{"revision", past->revision.value()},
                       {"policy_hash", HexText(past->policy_hash)},
                       {"settings", SettingsJson(past->settings)},
                       {"policy", PolicyJson(past->policy)},
                       {"shown_texts", ShownTextsJson(past->shown_texts)}};
        Table head("settings", {"REVISION", "POLICY"});
        head.Add({past->revision.value(), past->policy.version});
        report.tables = SettingsTables(past->settings);
        report.tables.insert(report.tables.begin(), head);
        report.tables.push_back(ShownTextsTable(past->shown_texts));
        return Print(report, cli, kDone);
      });
    };
  });
}

}  // namespace consent::cli
