// consentctl policy show|suspend|resume, and what policy_versions adds.
#include "client/cli/command.h"
#include "client/cli/commands/policy_versions.h"
#include "client/cli/confirm.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_approval.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

Table SuspensionTable(const std::vector<Suspension>& suspensions) {
  Table table("suspension",
              {"PURPOSE", "REGION", "ACTIVE", "SUSPENDED", "RESUMED", "WHY", "ETAG", "CHANGED BY", "PROPOSED BY"});
  for (const Suspension& suspension : suspensions) {
    const bool is_of_restore = suspension.purpose == Purpose::kUnset;
    table.Add({is_of_restore ? "all (restored)" : std::string(Name(suspension.purpose)),
               suspension.region.empty() ? "everywhere" : suspension.region, YesNo(suspension.active),
               TimeText(suspension.suspended_at), TimeText(suspension.resumed_at), suspension.reason,
               suspension.etag.value(), suspension.changed_by, suspension.proposed_by});
  }
  return table;
}

Report PolicyReport(const StoredPolicy& stored) {
  Report report;
  report.json = {{"current", stored.current},
                 {"hash", HexText(stored.hash)},
                 {"activated_at", TimeText(stored.activated_at)},
                 {"activated_by", stored.activated_by},
                 {"proposed_by", stored.proposed_by},
                 {"suspensions", Json::array()},
                 {"policy", PolicyJson(stored.policy)}};
  for (const Suspension& suspension : stored.suspensions) {
    report.json["suspensions"].push_back(SuspensionJson(suspension));
  }
  const Policy& policy = stored.policy;
  Table head("policy", {"VERSION", "CURRENT", "ACTIVATED", "BY", "PROPOSED BY", "HASH"});
  head.Add({policy.version, YesNo(stored.current), TimeText(stored.activated_at),
            stored.activated_by.empty() ? "the policy file" : stored.activated_by, stored.proposed_by,
            HexText(stored.hash)});
  Table regimes("regime", {"REGIME", "DEFAULT", "REGIONS", "COUNTRIES", "SITES", "REVIEWERS"});
  for (const Regime& regime : policy.regimes) {
    regimes.Add({regime.name, std::string(Name(regime.default_rule)), ListText(regime.regions),
                 ListText(regime.allowed_countries), ListText(regime.allowed_sites),
                 NamesText(regime.allowed_reviewers)});
  }
  Table controls("control", {"CONTROL", "PURPOSES"});
  for (const Control& control : policy.controls) controls.Add({control.name, NamesText(control.purposes)});
  Table notices("notice", {"NOTICE", "LANGUAGES", "PURPOSES", "PEOPLE LISTEN", "PAST", "VALID FROM"});
  for (const Notice& notice : policy.notices) {
    notices.Add({notice.version, ListText(notice.languages), NamesText(notice.purposes),
                 YesNo(notice.says_people_listen), YesNo(notice.covers_past), TimeText(notice.valid_from)});
  }
  report.tables = {head, regimes, controls, notices, SuspensionTable(stored.suspensions)};
  if (stored.waiting.has_value()) {
    const WaitingPolicy& waiting = *stored.waiting;
    report.json["waiting"] = {{"version", waiting.version}, {"hash", HexText(waiting.hash)}, {"why", waiting.why}};
    Table table("waiting", {"THE POLICY FILE IS NOT IN FORCE", "WHY"});
    table.Add({waiting.version.empty() ? "unreadable" : waiting.version, waiting.why});
    report.tables.insert(report.tables.begin(), table);
  }
  return report;
}

int PrintSuspension(const absl::StatusOr<Suspension>& suspension, const OutputForm& form) {
  if (!suspension.ok()) return PrintError(suspension.status(), form.json);
  Report report;
  report.json = {{"suspension", SuspensionJson(*suspension)}};
  report.tables = {SuspensionTable({*suspension})};
  return Print(report, form, kDone);
}

void AddShowPolicy(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("show", "The rules in force, or those of an earlier version, and suspensions");
  auto version = std::make_shared<std::string>();
  AddText(app, "--version", version.get(), 0, base::kMaxNameBytes, "An earlier version");
  app->callback([&cli, version] {
    cli.action = [&cli, version] {
      return cli.WithClient([&](Client& client) {
        const auto stored = client.GetPolicy(*version);
        return stored.ok() ? Print(PolicyReport(*stored), cli, kDone) : PrintError(stored.status(), cli.json);
      });
    };
  });
}

void AddSuspend(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("suspend",
                                         "Stop a purpose at once, for a region or everywhere. Durable; repeating is "
                                         "harmless.");
  auto order = std::make_shared<SuspendOrder>();
  AddName(app, "purpose", &order->purpose, "What is stopped")->required();
  AddRegion(app, "--region", &order->region, true, "Only there: DE or US-CA");
  AddText(app, "--reason", &order->reason, 1, base::kMaxReasonBytes, "For the record; no ids")->required();
  app->callback([&cli, order] {
    cli.action = [&cli, order] {
      return cli.WithClient([&](Client& client) { return PrintSuspension(client.Suspend(*order), cli); });
    };
  });
}

void AddResume(CLI::App* parent, Cli& cli) {
  CLI::App* app =
      parent->add_subcommand("resume",
                             "Lift a suspension. Afterwards only choices made since count. Where the policy "
                             "wants two persons for it, this proposes it (`approvals`).");
  auto order = std::make_shared<ResumeOrder>();
  CLI::Option* purpose = AddName(app, "purpose", &order->purpose, "What goes on; or --restored");
  CLI::Option* region = AddRegion(app, "--region", &order->region, true, "The region of the suspension");
  app->add_flag("--restored", order->restored,
                "Accept what a restore without a restriction journal may have lost: accounts are decided by what was "
                "restored")
      ->excludes(purpose)
      ->excludes(region);
  AddText(app, "--reason", &order->reason, 1, base::kMaxReasonBytes, "For the record; no ids")->required();
  AddEtag(app, &order->etag, "policy show");
  auto yes = std::make_shared<bool>(false);
  AddYes(app, yes.get());
  app->callback([&cli, order, yes] {
    if (!order->restored && order->purpose == Purpose::kUnset) throw CLI::RequiredError("a purpose or --restored");
    cli.action = [&cli, order, yes] {
      const std::string what = order->restored
                                   ? "Accounts are decided by what was restored, whatever was lost."
                                   : "Recordings may be used for " + std::string(Name(order->purpose)) + " again.";
      if (!IsConfirmed(what, *yes)) {
        return static_cast<int>(kStopped);
      }
      return cli.WithClient([&](Client& client) {
        const auto resumed = client.Resume(*order);
        if (!resumed.ok()) return PrintError(resumed.status(), cli.json);
        if (!resumed->proposal.has_value()) return PrintSuspension(resumed->suspension, cli);
        Report report;
        report.json = {{"suspension", SuspensionJson(resumed->suspension)}};
        TellProposal(*resumed->proposal, &report);
        return Print(report, cli, kProposed);
      });
    };
  });
}

}  // namespace

void AddPolicy(CLI::App& app, Cli& cli) {
  CLI::App* policy = app.add_subcommand("policy", "The rules, and the switch that stops a purpose");
  policy->require_subcommand(1);
  AddShowPolicy(policy, cli);
  AddListPolicies(policy, cli);
  AddDiffPolicy(policy, cli);
  AddActivatePolicy(policy, cli);
  AddSuspend(policy, cli);
  AddResume(policy, cli);
}

}  // namespace consent::cli
