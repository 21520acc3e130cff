// consentctl requests appeal|acknowledge-appeal|answer-appeal.
#include "client/cli/commands/requests.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

// What each step has; `call` is the client's method.
template <typename Order>
std::shared_ptr<Order> AddStep(CLI::App* app, Cli& cli,
                               absl::StatusOr<AppealTaken> (Client::*call)(const Order&, const CallOptions&)) {
  auto order = std::make_shared<Order>();
  AddId(app, "deletion", &order->deletion_id, "The request, as `delete` printed it")->required();
  AddTime(app, "--at", &order->at, "When it was so; without it now");
  AddRequestId(app, &order->request_id);
  app->callback([&cli, order, call] {
    cli.action = [&cli, order, call] {
      return cli.WithClient([&](Client& client) {
        const auto taken = (client.*call)(*order, {});
        if (!taken.ok()) return PrintError(taken.status(), cli.json);
        Report report;
        report.json = {{"request", DeletionJson(taken->request)}, {"already", taken->already}};
        Table already("taken", {"ALREADY"});
        already.Add({YesNo(taken->already)});
        report.tables = DeletionTables(taken->request);
        report.tables.insert(report.tables.begin(), std::move(already));
        return Print(report, cli, kDone);
      });
    };
  });
  return order;
}

}  // namespace

void AddAppeals(CLI::App* parent, Cli& cli) {
  CLI::App* appeal = parent->add_subcommand("appeal",
                                            "Somebody appeals against the denial of a request, or complains about a "
                                            "request. While one is open, another is part "
                                            "of it (already).");
  auto received = AddStep(appeal, cli, &Client::ReceiveAppeal);
  AddName(appeal, "--kind", &received->kind, "An appeal is against a denial, a complaint about any request")
      ->required();

  CLI::App* acknowledge = parent->add_subcommand(
      "acknowledge-appeal", "Whoever appealed or complained was told that it was received. What was said first stays.");
  AddStep(acknowledge, cli, &Client::AcknowledgeAppeal);

  CLI::App* answer = parent->add_subcommand(
      "answer-appeal", "It was answered. The request stays as it is: where a denial was wrong, `delete` again.");
  auto answered = AddStep(answer, cli, &Client::AnswerAppeal);
  AddName(answer, "--outcome", &answered->outcome, "How it ended")->required();
  AddText(answer, "--answer", &answered->answer, 1, base::kMaxReasonBytes,
          "1 to 256 bytes; kept, and shown to auditors; no ids")
      ->required();
}

}  // namespace consent::cli
