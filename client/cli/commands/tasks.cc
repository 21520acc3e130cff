// consentctl tasks list.
#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render_deletion.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

void AddListTasks(CLI::App* parent, Cli& cli) {
  CLI::App* app =
      parent->add_subcommand("list", "Open tasks of one data system: due, taken, failed and why; no ids of people");
  auto query = std::make_shared<TaskQuery>();
  AddText(app, "system", &query->system, 1, base::kMaxNameBytes, "The data system")->required();
  AddNumber(app, "--min-failures", &query->min_failures, 0, base::kMaxFailures,
            "Only those that failed as often, or more");
  AddPage(app, &query->page_size, &query->page_token, "Tasks");
  app->callback([&cli, query] {
    cli.action = [&cli, query] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.ListTasks(*query);
        if (!page.ok()) return PrintError(page.status(), cli.json);
        Report report;
        report.json = {{"tasks", Json::array()}, {"next_page_token", page->next_page_token}};
        for (const TaskStatus& task : page->tasks) report.json["tasks"].push_back(TaskJson(task));
        report.tables = {TasksTable(page->tasks), NextPageTable(page->next_page_token)};
        return Print(report, cli, kDone);
      });
    };
  });
}

}  // namespace

void AddTasks(CLI::App& app, Cli& cli) {
  CLI::App* tasks = app.add_subcommand("tasks", "What a data system still has to delete");
  tasks->require_subcommand(1);
  AddListTasks(tasks, cli);
}

}  // namespace consent::cli
