// consentctl systems register|retention|list|retire.
#include "client/cli/command.h"
#include "client/cli/confirm.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render_deletion.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

int PrintSystem(const absl::StatusOr<DataSystem>& system, const OutputForm& form) {
  if (!system.ok()) return PrintError(system.status(), form.json);
  Report report;
  report.json = {{"system", DataSystemJson(*system)}};
  report.tables = {DataSystemsTable({*system})};
  return Print(report, form, kDone);
}

// --attested-by, --attested-until, --sweep-days: one of the two ways at most.
void AddRetention(CLI::App* app, SystemRetention* retention) {
  CLI::Option* by = AddText(app, "--attested-by", &retention->attested_by, 1, base::kMaxAttestedByBytes,
                            "Who says that it deletes by itself what has expired and what was recorded by accident: a "
                            "person of the staff, never a user");
  CLI::Option* until = AddTime(app, "--attested-until", &retention->attested_until,
                               "When that has to be said anew; at most 366 days ahead", TimeForm::kFirst);
  CLI::Option* days =
      AddNumber(app, "--sweep-days", &retention->sweep_days, 1, base::kMaxSweepDays,
                "`consentctl sweep` asks about all that it has every so many days, 1 to 90; it is overdue after them");
  by->needs(until);
  until->needs(by);
  days->excludes(by);
  days->excludes(until);
}

void AddRegister(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "register",
      "From now on every verified request has a task for this data system, and so "
      "have those that are open. Repeating with the same options changes nothing; with others it is refused.");
  auto system = std::make_shared<DataSystem>();
  AddText(app, "name", &system->name, 1, base::kMaxNameBytes, "1 to 64 of [a-z0-9_-]; never used again for another one")
      ->required();
  AddName(app, "--kind", &system->kind, "What it holds")->required();
  AddNames(app, "--matches-by", &system->matches_by,
           "What it can find its data by; ACCOUNT and RECORDING_ID are needed")
      ->required();
  app->add_option_function<std::string>(
         "--latest-arrival",
         [system](const std::string& text) {
           if (!ParseDuration(text, &system->latest_arrival)) {
             throw CLI::ValidationError("--latest-arrival",
                                        "must be a whole number with a unit, such as 30s, 15min, 12h or 30d");
           }
         },
         "How late after its capture data can still reach it: 30s, 15min, 12h, 30d; at most 90d (default 0s)")
      ->type_name("DURATION");
  app->add_flag("--checks-on-ingest", system->checks_on_ingest,
                "It asks consentd about each item that arrives. Where not, tasks that ended before --latest-arrival "
                "had passed are done once more.");
  AddBytes32(
      app, "--offline-key", [system](const std::array<uint8_t, 32>& key) { system->offline_key = key; },
      "It gives recordings to review tools and cannot call: the public half of its X25519 key, in hexadecimal. Its "
      "media tokens live 10 seconds, in which nothing takes them back.");
  AddRetention(app, &system->retention);
  app->callback([&cli, system] {
    cli.action = [&cli, system] {
      return cli.WithClient([&](Client& client) { return PrintSystem(client.RegisterDataSystem(*system), cli); });
    };
  });
}

void AddSetRetention(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "retention",
      "How the data system sees to it that what has expired goes: a new attestation, or sweeps every so many days");
  auto name = std::make_shared<std::string>();
  auto retention = std::make_shared<SystemRetention>();
  AddText(app, "name", name.get(), 1, base::kMaxNameBytes, "The data system")->required();
  AddRetention(app, retention.get());
  app->callback([&cli, name, retention] {
    if (retention->empty()) {
      throw CLI::ValidationError("systems retention", "needs --attested-by and --attested-until, or --sweep-days");
    }
    cli.action = [&cli, name, retention] {
      return cli.WithClient(
          [&](Client& client) { return PrintSystem(client.SetSystemRetention(*name, *retention), cli); });
    };
  });
}

void AddListSystems(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("list", "The registered data systems and their open tasks");
  app->callback([&cli] {
    cli.action = [&cli] {
      return cli.WithClient([&](Client& client) {
        const auto systems = client.ListDataSystems();
        if (!systems.ok()) return PrintError(systems.status(), cli.json);
        Report report;
        report.json = {{"systems", Json::array()}};
        for (const DataSystem& system : *systems) report.json["systems"].push_back(DataSystemJson(system));
        report.tables = {DataSystemsTable(*systems)};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddRetire(CLI::App* parent, Cli& cli) {
  CLI::App* app =
      parent->add_subcommand("retire",
                             "No further tasks for it. While it has open tasks it needs --reason: they end as EXEMPT "
                             "for it, and what they were for is not deleted there.");
  auto name = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  AddText(app, "name", name.get(), 1, base::kMaxNameBytes, "The data system")->required();
  AddText(app, "--reason", reason.get(), 0, base::kMaxReasonBytes,
          "1 to 256 bytes; kept with each task that ends by it; no ids");
  auto yes = std::make_shared<bool>(false);
  AddYes(app, yes.get());
  app->callback([&cli, name, reason, yes] {
    cli.action = [&cli, name, reason, yes] {
      if (!IsConfirmed("No deletion reaches " + *name + " any more; its open tasks end as EXEMPT.", *yes)) {
        return static_cast<int>(kStopped);
      }
      return cli.WithClient([&](Client& client) { return PrintSystem(client.RetireDataSystem(*name, *reason), cli); });
    };
  });
}

}  // namespace

void AddSystems(CLI::App& app, Cli& cli) {
  CLI::App* systems = app.add_subcommand("systems", "Where data lies that must go");
  systems->require_subcommand(1);
  AddRegister(systems, cli);
  AddSetRetention(systems, cli);
  AddListSystems(systems, cli);
  AddRetire(systems, cli);
}

}  // namespace consent::cli
