// consentctl subject set|get.
#include <sstream>

#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render.h"
#include "client/cli/render_subject.h"
#include "client/src/import_lines.h"

namespace consent::cli {
namespace {

// id[:adult|child|born=YYYY-MM-DD][:guardian=id]
Profile ParseProfile(const std::string& text) {
  const CLI::ValidationError wrong("--profile", "must be ID[:adult|:child|:born=YYYY-MM-DD][:guardian=ID]; ids that "
                                                "hold a colon can be given with `consentctl import`");
  Profile profile;
  std::istringstream parts(text);
  std::string part;
  std::getline(parts, part, ':');
  CheckId("--profile", part);
  profile.profile_id = ProfileId(part);
  while (std::getline(parts, part, ':')) {
    if (part == "adult" && profile.age.kind == Age::Kind::kUnset) {
      profile.age.kind = Age::Kind::kAdult;
    } else if (part == "child" && profile.age.kind == Age::Kind::kUnset) {
      profile.age.kind = Age::Kind::kChild;
    } else if (part.rfind("born=", 0) == 0 && profile.age.kind == Age::Kind::kUnset) {
      profile.age = Age{Age::Kind::kBorn, part.substr(5)};
    } else if (part.rfind("guardian=", 0) == 0 && !profile.guardian.has_value()) {
      if (part.size() > 9) CheckId("--profile", part.substr(9));
      profile.guardian = GuardianId(part.substr(9));
    } else {
      throw wrong;
    }
  }
  return profile;
}

Retention RetentionOption(const std::string& text) {
  const absl::StatusOr<Retention> retention = ParseRetention(text);
  if (!retention.ok()) throw CLI::ValidationError("--retention", std::string(retention.status().message()));
  return *retention;
}

void AddSetSubject(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "set", "Register a subject or change it, with choices in the same commit. A stricter region or age and a new child need "
             "nothing; whatever allows more needs --etag, --channel and --actor once the subject is registered.");
  auto update = std::make_shared<SubjectUpdate>();
  AddId(app, "account", &update->account_id, "The account")->required();
  auto region = std::make_shared<std::string>();
  AddRegion(app, "--region", region.get(), true, "Where the user lives: DE or US-CA");
  app->add_option_function<std::vector<std::string>>(
         "--profile",
         [update](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) update->profiles.push_back(ParseProfile(text));
         },
         "A speaker to add or change: ID[:adult|:child|:born=YYYY-MM-DD][:guardian=ID]; several times")
      ->allow_extra_args(false);
  const auto ids = [app](const char* flag, auto* list, const char* help) {
    app->add_option_function<std::vector<std::string>>(
           flag,
           [flag, list](const std::vector<std::string>& texts) {
             for (const std::string& text : texts) {
               CheckId(flag, text);
               list->emplace_back(text);
             }
           },
           help)
        ->allow_extra_args(false);
  };
  ids("--device", &update->devices, "A device to add; several times");
  ids("--remove-profile", &update->remove_profiles, "A profile to remove with its choices; several times");
  ids("--remove-device", &update->remove_devices, "A device to remove with its choices; several times");
  const auto choices = [app, update](const char* flag, Switch turn, const char* help) {
    app->add_option_function<std::vector<std::string>>(
           flag,
           [update, turn](const std::vector<std::string>& texts) {
             for (const std::string& text : texts) update->initial_choices.push_back({{}, ParseTarget(text), turn});
           },
           help)
        ->allow_extra_args(false);
  };
  choices("--on", Switch::kOn, "A control, or a purpose in capitals, to turn on for the account; several times");
  choices("--off", Switch::kOff, "A control, a purpose in capitals, or all, to turn off for the account; several times");
  app->add_option_function<std::string>(
      "--retention", [update](const std::string& text) { update->retention.push_back({{}, RetentionOption(text)}); },
      "How long audio is kept: 3m, until-deleted or do-not-save");
  app->add_flag("--create-new", update->create_new,
                "The account was closed, and its id is somebody's new account: registers that one, which inherits nothing; what was captured "
                "before stays the closed one's. Only once the closure is COMPLETED.");
  AddEvidence(app, &update->evidence);
  AddEtag(app, &update->etag, "subject get");
  app->callback([&cli, update, region] {
    if (!region->empty()) update->region = *region;
    cli.action = [&cli, update] {
      return cli.WithClient([&](Client& client) {
        const auto done = client.UpsertSubject(*update);
        if (!done.ok()) return PrintError(done.status(), cli.json);
        Report report;
        report.json = {{"revision", done->revision.value()},
                       {"registered", done->registered},
                       {"results", PartsJson(done->results)}};
        Table table("subject", {"ETAG", "REGISTERED NOW"});
        table.Add({done->revision.value(), YesNo(done->registered)});
        report.tables = {table, PartsTable(done->results)};
        TellNewSubject(done->subject_is_new, &report);
        return Print(report, cli.json, AnyRefused(done->results) ? kPartlyRefused : kDone);
      });
    };
  });
}

}  // namespace

void AddSubject(CLI::App& app, Cli& cli) {
  CLI::App* subject = app.add_subcommand("subject", "Who lives behind an account");
  subject->require_subcommand(1);
  AddSetSubject(subject, cli);
  CLI::App* get = subject->add_subcommand("get", "Show region, profiles, devices and etag, and whether the account was closed");
  auto account = std::make_shared<AccountId>();
  AddId(get, "account", account.get(), "The account")->required();
  get->callback([&cli, account] {
    cli.action = [&cli, account] {
      return cli.WithClient([&](Client& client) {
        const auto found = client.GetSubject(*account);
        if (!found.ok()) return PrintError(found.status(), cli.json);
        return Print({SubjectJson(*found), SubjectTables(*found)}, cli.json, kDone);
      });
    };
  });
}

}  // namespace consent::cli
