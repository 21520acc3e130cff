// consentctl approvals list|show|approve|withdraw.
#include <memory>
#include <string>

#include "client/cli/command.h"
#include "client/cli/confirm.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render_approval.h"
#include "client/cli/render/render_deletion.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

int PrintProposal(const absl::StatusOr<Proposal>& proposal, const OutputForm& form) {
  if (!proposal.ok()) return PrintError(proposal.status(), form.json);
  Report report;
  report.json = {{"proposal", ProposalJson(*proposal)}};
  report.tables = {ProposalsTable({*proposal})};
  return Print(report, form, kDone);
}

void AddListProposals(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("list", "What waits for a second person, the newest first");
  auto query = std::make_shared<ProposalQuery>();
  app->add_flag("--all", query->include_ended, "Those that have ended, too: the last 1,024 are kept");
  AddPage(app, &query->page_size, &query->page_token, "Lines");
  app->callback([&cli, query] {
    cli.action = [&cli, query] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.ListProposals(*query);
        if (!page.ok()) return PrintError(page.status(), cli.json);
        Report report;
        report.json = {{"proposals", Json::array()}, {"next_page_token", page->next_page_token}};
        for (const Proposal& proposal : page->proposals) report.json["proposals"].push_back(ProposalJson(proposal));
        report.tables = {ProposalsTable(page->proposals), NextPageTable(page->next_page_token)};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddShowProposal(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "show",
      "One proposal, with all that would be done: of a policy each thing that it loosens, and with --json the file.");
  auto id = std::make_shared<ProposalId>();
  AddId(app, "proposal", id.get(), "The proposal, as `approvals list` prints it")->required();
  app->callback([&cli, id] {
    cli.action = [&cli, id] {
      return cli.WithClient([&](Client& client) {
        const auto details = client.GetProposal(*id);
        if (!details.ok()) return PrintError(details.status(), cli.json);
        Report report;
        report.json = {{"proposal", ProposalJson(details->proposal)},
                       {"loosens", details->loosens},
                       {"policy_json", details->policy_json}};
        Table loosens("loosening", {"LOOSENS"});
        for (const std::string& words : details->loosens) loosens.Add({words});
        report.tables = {ProposalsTable({details->proposal})};
        if (!details->loosens.empty()) report.tables.push_back(loosens);
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddApprove(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "approve",
      "Carry out what another person proposed, just as it was proposed: the command returns when it is done. What it "
      "rests on must be as it was then. Look at it first: `approvals show`, and for a hold `holds list`.");
  auto id = std::make_shared<ProposalId>();
  AddId(app, "proposal", id.get(), "The proposal, as `approvals list` prints it")->required();
  auto yes = std::make_shared<bool>(false);
  AddYes(app, yes.get());
  app->callback([&cli, id, yes] {
    cli.action = [&cli, id, yes] {
      if (!IsConfirmed("What was proposed is carried out at once.", *yes)) return static_cast<int>(kStopped);
      return cli.WithClient([&](Client& client) { return PrintProposal(client.ApproveProposal(*id), cli); });
    };
  });
}

void AddWithdraw(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "withdraw", "Take a proposal back, or refuse it: nobody can approve it any more. Repeating is harmless.");
  auto id = std::make_shared<ProposalId>();
  AddId(app, "proposal", id.get(), "The proposal, as `approvals list` prints it")->required();
  app->callback([&cli, id] {
    cli.action = [&cli, id] {
      return cli.WithClient([&](Client& client) { return PrintProposal(client.WithdrawProposal(*id), cli); });
    };
  });
}

}  // namespace

void AddApprovals(CLI::App& app, Cli& cli) {
  CLI::App* approvals = app.add_subcommand(
      "approvals",
      "What takes two persons: one proposes it, by the command that would do it, and another one approves");
  approvals->require_subcommand(1);
  AddListProposals(approvals, cli);
  AddShowProposal(approvals, cli);
  AddApprove(approvals, cli);
  AddWithdraw(approvals, cli);
}

}  // namespace consent::cli
