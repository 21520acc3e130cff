// consentctl flags list|acknowledge|handle.
#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

Json FlagJson(const SafetyFlag& flag) {
  return {{"account_id", flag.account_id.value()},
          {"recording_id", flag.recording_id.value()},
          {"reported_at", TimeText(flag.reported_at)},
          {"reported_by", flag.reported_by},
          {"acknowledge_by", TimeText(flag.acknowledge_by)},
          {"acknowledged_at", TimeText(flag.acknowledged_at)},
          {"acknowledged_by", flag.acknowledged_by},
          {"handle_by", TimeText(flag.handle_by)},
          {"overdue", flag.overdue},
          {"held_until", TimeText(flag.held_until)}};
}

// What is due next, and by when.
std::string NextText(const SafetyFlag& flag) {
  const bool is_acknowledged = flag.acknowledged_at.has_value();
  return (flag.overdue ? "OVERDUE " : "") + std::string(is_acknowledged ? "HANDLE " : "ACKNOWLEDGE ") +
         TimeText(is_acknowledged ? flag.handle_by : flag.acknowledge_by);
}

Table FlagsTable(const std::vector<SafetyFlag>& flags) {
  Table table("flag", {"ACCOUNT", "RECORDING", "REPORTED", "REPORTED BY", "DUE", "HELD UNTIL"});
  for (const SafetyFlag& flag : flags) {
    table.Add({flag.account_id.value(), flag.recording_id.value(), TimeText(flag.reported_at), flag.reported_by,
               NextText(flag), TimeText(flag.held_until)});
  }
  return table;
}

void AddListFlags(CLI::App* parent, Cli& cli) {
  CLI::App* app =
      parent->add_subcommand("list", "Recordings flagged SAFETY that nobody has handled, those reported first, first");
  auto query = std::make_shared<SafetyFlagQuery>();
  AddId(app, "--account", &query->account_id, "Only of this account; without it of all");
  app->add_flag("--overdue", query->overdue, "Only those that nobody acknowledged, or handled, in time");
  AddPage(app, &query->page_size, &query->page_token, "Flags");
  app->callback([&cli, query] {
    cli.action = [&cli, query] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.ListSafetyFlags(*query);
        if (!page.ok()) return PrintError(page.status(), cli.json);
        Report report;
        report.json = {{"flags", Json::array()}, {"next_page_token", page->next_page_token}};
        for (const SafetyFlag& flag : page->flags) report.json["flags"].push_back(FlagJson(flag));
        report.tables = {FlagsTable(page->flags), NextPageTable(page->next_page_token)};
        return Print(report, cli, kDone);
      });
    };
  });
}

// A step of one flag: `call` takes it, `done` is the name of its table.
template <typename Order>
void AddFlagStep(CLI::App* app, Cli& cli, const std::string& note_help, bool needs_note, const char* done,
                 absl::StatusOr<Etag> (Client::*call)(const Order&, const CallOptions&)) {
  auto order = std::make_shared<Order>();
  AddId(app, "account", &order->account_id, "Whose recording it is")->required();
  AddId(app, "recording", &order->recording_id, "Which recording it is")->required();
  AddText(app, "--note", &order->note, 1, base::kMaxNoteBytes,
          note_help + "; 1 to 1024 bytes; kept sealed, as long as the account")
      ->required(needs_note);
  AddRequestId(app, &order->request_id);
  AddEvidence(app, &order->evidence);
  app->callback([&cli, order, done, call] {
    cli.action = [&cli, order, done, call] {
      return cli.WithClient([&](Client& client) {
        const auto revision = (client.*call)(*order, CallOptions());
        if (!revision.ok()) return PrintError(revision.status(), cli.json);
        Report report;
        report.json = {{"revision", revision->value()}};
        Table table(done, {"ETAG"});
        table.Add({revision->value()});
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddAcknowledgeFlag(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "acknowledge",
      "It is yours: only the handling is due from then on. Of two the first wins; the other is told "
      "SAFETY_FLAG_ACKNOWLEDGED.");
  AddFlagStep(app, cli, "Who looks after it, and how", false, "acknowledged", &Client::AcknowledgeSafetyFlag);
}

void AddHandleFlag(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "handle",
      "Somebody looks after the person. The recording stays flagged, and nothing of it becomes eligible. Of two who "
      "handle it the first wins; the other is told SAFETY_FLAG_HANDLED.");
  AddFlagStep(app, cli, "What was done, for whoever asks later", true, "handled", &Client::HandleSafetyFlag);
}

}  // namespace

void AddFlags(CLI::App& app, Cli& cli) {
  CLI::App* flags = app.add_subcommand("flags", "Recordings flagged SAFETY: a person may be in danger");
  flags->require_subcommand(1);
  AddListFlags(flags, cli);
  AddAcknowledgeFlag(flags, cli);
  AddHandleFlag(flags, cli);
}

}  // namespace consent::cli
