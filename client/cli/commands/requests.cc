// consentctl requests list|show|confirm-receipt|verify|deny|extend|cancel.
#include "client/cli/commands/requests.h"

#include "client/cli/confirm.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

int PrintRequest(const absl::StatusOr<DeletionRequest>& request, const OutputForm& form) {
  if (!request.ok()) return PrintError(request.status(), form.json);
  Report report;
  report.json = {{"request", DeletionJson(*request)}};
  report.tables = DeletionTables(*request);
  return Print(report, form, kDone);
}

void AddListRequests(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("list", "Requests in the order of their receipt");
  auto query = std::make_shared<DeletionQuery>();
  AddId(app, "account", &query->account_id, "Only of this account; without it of all");
  AddNames(app, "--state", &query->states, "Only in these states; several times");
  AddNames(app, "--cause", &query->causes, "Only for these causes; several times");
  AddTime(app, "--due-before", &query->due_before, "Only open ones that are due before then", TimeForm::kFirst);
  AddTime(app, "--received-from", &query->received_from, "Only those received from then on", TimeForm::kFirst);
  AddTime(app, "--received-before", &query->received_before, "Only those received before then", TimeForm::kFirst);
  app->add_flag("--open-appeal", query->has_open_appeal, "Only those with an appeal or complaint that is not answered");
  AddPage(app, &query->page_size, &query->page_token, "Requests");
  app->callback([&cli, query] {
    cli.action = [&cli, query] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.ListDeletionRequests(*query);
        if (!page.ok()) return PrintError(page.status(), cli.json);
        Report report;
        report.json = {{"requests", Json::array()}, {"next_page_token", page->next_page_token}};
        for (const DeletionRequest& request : page->requests) report.json["requests"].push_back(DeletionJson(request));
        report.tables = {DeletionsTable(page->requests), NextPageTable(page->next_page_token)};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddShowRequest(CLI::App* parent, Cli& cli) {
  CLI::App* app =
      parent->add_subcommand("show",
                             "How far a request has come: each data system's part, due time, etag, and what may be "
                             "told to the user");
  auto deletion = std::make_shared<DeletionId>();
  auto options = std::make_shared<CallOptions>();
  AddId(app, "deletion", deletion.get(), "The request, as `delete` printed it")->required();
  AddTextLanguage(app, options.get());
  app->callback([&cli, deletion, options] {
    cli.action = [&cli, deletion, options] {
      return cli.WithClient(
          [&](Client& client) { return PrintRequest(client.GetDeletionRequest(*deletion, *options), cli); });
    };
  });
}

void AddConfirmReceipt(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("confirm-receipt",
                                         "The user was told that the request was received. What was said first stays: "
                                         "repeating is harmless and says so (already).");
  auto order = std::make_shared<ConfirmReceiptOrder>();
  AddId(app, "deletion", &order->deletion_id, "The request, as `delete` printed it")->required();
  AddName(app, "--channel", &order->channel, "How the user was told")->required();
  AddTime(app, "--at", &order->confirmed_at, "When, no earlier than its receipt; without it now");
  AddRequestId(app, &order->request_id);
  app->callback([&cli, order] {
    cli.action = [&cli, order] {
      return cli.WithClient([&](Client& client) {
        const auto confirmed = client.ConfirmReceipt(*order);
        if (!confirmed.ok()) return PrintError(confirmed.status(), cli.json);
        Report report;
        report.json = {{"request", DeletionJson(confirmed->request)}, {"already", confirmed->already}};
        Table already("confirmed", {"ALREADY"});
        already.Add({YesNo(confirmed->already)});
        report.tables = DeletionTables(confirmed->request);
        report.tables.insert(report.tables.begin(), std::move(already));
        return Print(report, cli, kDone);
      });
    };
  });
}

// A step of a request: its id, evidence and request_id are common to all; `call` is the client's method. It is done
// only where it is confirmed.
template <typename Order>
std::shared_ptr<Order> AddStep(CLI::App* app, Cli& cli,
                               absl::StatusOr<DeletionRequest> (Client::*call)(const Order&, const CallOptions&),
                               const std::function<bool(const Order&)>& is_confirmed = nullptr) {
  auto order = std::make_shared<Order>();
  AddId(app, "deletion", &order->deletion_id, "The request, as `delete` printed it")->required();
  AddRequestId(app, &order->request_id);
  AddEvidence(app, &order->evidence);
  app->callback([&cli, order, call, is_confirmed] {
    cli.action = [&cli, order, call, is_confirmed] {
      if (is_confirmed != nullptr && !is_confirmed(*order)) return static_cast<int>(kStopped);
      return cli.WithClient([&](Client& client) { return PrintRequest((client.*call)(*order, {}), cli); });
    };
  });
  return order;
}

void AddSteps(CLI::App* parent, Cli& cli) {
  CLI::App* verify =
      parent->add_subcommand("verify", "Who asked is known and may ask: purging begins. Repeating is harmless.");
  auto yes = std::make_shared<bool>(false);
  auto verification =
      AddStep<VerifyOrder>(verify, cli, &Client::VerifyDeletionRequest, [yes](const VerifyOrder& order) {
        return order.only_begun || IsConfirmed("Purging begins at once and cannot be undone.", *yes);
      });
  AddYes(verify, yes.get());
  verify->add_flag("--only-begun", verification->only_begun, "It is being found out who asked, and that is not over");

  CLI::App* deny =
      parent->add_subcommand("deny", "Only before it was verified. What it selects is kept and stays not eligible.");
  auto denial = AddStep(deny, cli, &Client::DenyDeletionRequest);
  AddText(deny, "--reason", &denial->reason, 1, base::kMaxReasonBytes,
          "1 to 256 bytes; kept, and shown to auditors; no ids")
      ->required();

  CLI::App* extend =
      parent->add_subcommand("extend",
                             "Move the due time, once, as far as the regime allows: this says that the notice "
                             "to the user went out in time");
  AddStep(extend, cli, &Client::ExtendDeletionRequest);

  CLI::App* cancel =
      parent->add_subcommand("cancel",
                             "Only before a data system took its task. It allows more than before, so it needs "
                             "--etag, --channel and --actor.");
  auto cancellation = AddStep(cancel, cli, &Client::CancelDeletionRequest);
  AddEtag(cancel, &cancellation->etag, "requests show");
}

}  // namespace

void AddRequests(CLI::App& app, Cli& cli) {
  CLI::App* requests =
      app.add_subcommand("requests", "Requests to delete recordings: how far they have come, and what is due");
  requests->require_subcommand(1);
  AddListRequests(requests, cli);
  AddShowRequest(requests, cli);
  AddConfirmReceipt(requests, cli);
  AddSteps(requests, cli);
  AddAppeals(requests, cli);
  AddRequestsOverdue(requests, cli);
  AddRequestsReport(requests, cli);
  AddRequestsSample(requests, cli);
}

}  // namespace consent::cli
