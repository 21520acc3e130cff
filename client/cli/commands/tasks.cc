// consentctl tasks list and retry.
#include <map>

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

struct RetryFlags {
  RetryOrder order;
  std::vector<std::string> tasks;
};

bool IsTried(RetryState state) {
  return state == RetryState::kDue || state == RetryState::kWasDue || state == RetryState::kLeased;
}

int RetryTasks(const Cli& cli, const RetryFlags& flags) {
  return cli.WithClient([&](Client& client) {
    RetryOrder order = flags.order;
    for (const std::string& task : flags.tasks) order.tasks.emplace_back(task);
    std::vector<TaskRetry> named;  // a whole system's are only counted: there may be any number
    std::map<RetryState, uint64_t> counts;
    ExitCode code = kDone;
    do {
      const auto page = client.RetryTasks(order);
      if (!page.ok()) return PrintError(page.status(), cli.json);
      for (const TaskRetry& task : page->tasks) {
        ++counts[task.state];
        if (order.tasks.empty()) continue;
        named.push_back(task);
        if (!IsTried(task.state)) code = kNotRetried;
      }
      order.page_token = page->next_page_token;
    } while (!order.page_token.empty());
    Report report;
    report.json = {{"counts", Json::object()}, {"tasks", Json::array()}};
    Table table("retried", {"STATE", "TASKS"});
    for (const auto& [state, count] : counts) {
      report.json["counts"][std::string(Name(state))] = count;
      table.Add({std::string(Name(state)), std::to_string(count)});
    }
    for (const TaskRetry& task : named) report.json["tasks"].push_back(TaskRetryJson(task));
    report.tables = {table, TaskRetriesTable(named)};
    return Print(report, cli, code);
  });
}

void AddRetryTasks(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "retry",
      "Have tasks that failed handed out at once instead of after their pause, for when what made them fail is mended: "
      "those named by their ids, or all of a data system. A task that a worker has stays its worker's, what is on hold "
      "waits for the release, what waits for late data waits for its date, and failures stay counted. Repeating is "
      "harmless");
  auto flags = std::make_shared<RetryFlags>();
  AddText(app, "system", &flags->order.system, 1, base::kMaxNameBytes, "The data system")->required();
  const CLI::Option* const tasks =
      app->add_option_function<std::vector<std::string>>(
             "task",
             [flags](const std::vector<std::string>& texts) {
               if (texts.size() > size_t{base::kMaxTasks}) throw CLI::ValidationError("task", "may be given 100 times");
               for (const std::string& text : texts) CheckId("task", text);
               flags->tasks = texts;
             },
             "Tasks by their ids, as `tasks list` prints them, at most 100; none: all of the system that failed")
          ->type_name("TASK");
  AddNumber(app, "--min-failures", &flags->order.min_failures, 0, base::kMaxFailures,
            "Of all: only those that failed as often, or more (default 1; `status` marks those of 5)");
  app->callback([&cli, flags, tasks] {
    if (tasks->count() != 0 && flags->order.min_failures != 0) {
      throw CLI::ValidationError("--min-failures", "is of a whole system's tasks: leave it out beside their ids");
    }
    cli.action = [&cli, flags] { return RetryTasks(cli, *flags); };
  });
}

}  // namespace

void AddTasks(CLI::App& app, Cli& cli) {
  CLI::App* tasks = app.add_subcommand("tasks", "What a data system still has to delete");
  tasks->require_subcommand(1);
  AddListTasks(tasks, cli);
  AddRetryTasks(tasks, cli);
}

}  // namespace consent::cli
