// consentctl subject set|get|join.
#include <sstream>

#include "client/cli/command.h"
#include "client/cli/confirm.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_subject.h"
#include "client/cli/render/render_unreached.h"

namespace consent::cli {
namespace {

// id[:adult|child|born=YYYY-MM-DD][:guardian=id]
Profile ParseProfile(const std::string& text) {
  const CLI::ValidationError wrong("--profile",
                                   "must be ID[:adult|:child|:born=YYYY-MM-DD][:guardian=ID]; ids that "
                                   "hold a colon can be given with `consentctl import`");
  Profile profile;
  if (!text.empty() && text.back() == ':') throw wrong;
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

// What is typed for `subject set`.
struct SubjectOrder {
  SubjectUpdate update;
  std::optional<std::string> region;
  std::vector<std::string> profiles;
  std::vector<std::string> on;
  std::vector<std::string> off;
  std::optional<std::string> retention;
  LeftOut left_out;
};

void BuildSubject(SubjectOrder* order) {
  SubjectUpdate& update = order->update;
  const auto has_region = [&] { return order->region.has_value() && !order->region->empty(); };
  if (has_region()) update.region = *order->region;
  if (order->region.has_value() && !has_region()) {
    order->left_out.Add("--region", "must be a country such as DE, or with a subdivision such as US-CA, in upper case");
  }
  for (const std::string& text : order->profiles) {
    CheckOrLeaveOut(&order->left_out, "--profile", [&] { update.profiles.push_back(ParseProfile(text)); });
  }
  for (SettingTarget& target : order->left_out.Targets("--on", order->on)) {
    update.initial_choices.push_back({{}, std::move(target), Switch::kOn});
  }
  for (SettingTarget& target : order->left_out.Targets("--off", order->off)) {
    update.initial_choices.push_back({{}, std::move(target), Switch::kOff});
  }
  update.retention = order->left_out.RetentionOf({}, order->retention);
  order->left_out.Settle(Restricts(update.initial_choices, update.retention));
}

void AddSetSubject(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "set",
      "Register a subject or change it, with choices in the same commit. A stricter region or age and a new child need "
      "nothing; whatever allows more needs --etag, --channel and --actor once the subject is registered.");
  auto order = std::make_shared<SubjectOrder>();
  SubjectUpdate* update = &order->update;
  AddId(app, "account", &update->account_id, "The account")->required();
  app->add_option_function<std::string>(
      "--region",
      [order](const std::string& text) {
        if (CheckOrLeaveOut(&order->left_out, "--region", [&] { CheckTextFlag("--region", text, 0, SIZE_MAX); })) {
          order->region = text;
        }
      },
      "Where the user lives: DE or US-CA");
  app->add_option("--profile", order->profiles,
                  "A speaker to add or change: ID[:adult|:child|:born=YYYY-MM-DD][:guardian=ID]; several times")
      ->allow_extra_args(false);
  LeftOut* left_out = &order->left_out;
  AddIds(app, "--device", &update->devices, "A device to add; several times", left_out);
  AddIds(app, "--remove-profile", &update->remove_profiles, "A profile to remove with its choices; several times",
         left_out);
  AddIds(app, "--remove-device", &update->remove_devices, "A device to remove with its choices; several times",
         left_out);
  app->add_option("--on", order->on, "A control, or a purpose in capitals, to turn on for the account; several times")
      ->allow_extra_args(false);
  app->add_option("--off", order->off,
                  "A control, a purpose in capitals, or all, to turn off for the account; several times")
      ->allow_extra_args(false);
  app->add_option("--retention", order->retention, "How long audio is kept: 3m, until-deleted or do-not-save");
  app->add_flag("--create-new", update->create_new,
                "The account was closed, and its id is somebody's new account: registers that one, which inherits "
                "nothing; what was captured before stays the closed one's. Only once the closure is COMPLETED.");
  AddEvidence(app, &update->evidence, left_out);
  AddEtag(app, &update->etag, "subject get", left_out);
  app->callback([&cli, order] {
    BuildSubject(order.get());
    cli.action = [&cli, order] {
      return cli.WithClient([&](Client& client) {
        auto done = client.UpsertSubject(order->update);
        if (!done.ok()) return PrintError(done.status(), cli.json);
        order->left_out.AppendTo(&done->results);
        Report report;
        report.json = {{"revision", done->revision.value()},
                       {"registered", done->registered},
                       {"results", PartsJson(done->results)},
                       {"unreached", UnreachedJson(done->unreached)},
                       {"account_closed", done->account_closed}};
        Table table("subject", {"ETAG", "REGISTERED NOW", "ACCOUNT CLOSED"});
        table.Add({done->revision.value(), YesNo(done->registered), YesNo(done->account_closed)});
        report.tables = {table, PartsTable(done->results), UnreachedTable(done->unreached)};
        TellNewSubject(done->subject_is_new, &report);
        TellUnusable(done->unusable, &report);
        return Print(report, cli, AnyRefused(done->results) || !done->unusable.empty() ? kPartlyRefused : kDone);
      });
    };
  });
}

// What is typed for `subject join`.
struct JoinTyped {
  JoinOrder order;
  bool yes = false;
};

void AddEtagOf(CLI::App* app, const char* name, Etag* etag, const char* whose) {
  app->add_option_function<std::string>(
         name,
         [etag, name](const std::string& text) {
           CheckTextFlag(name, text, 0, base::kMaxTokenBytes);
           *etag = Etag(text);
         },
         std::string("What `subject get` printed of ") + whose)
      ->type_name("ETAG");
}

void AddJoin(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "join",
      "Make FROM another name of INTO. What both were agreed to stays, what one of them refused is refused; whatever "
      "else was agreed to has to be agreed to again. It cannot be undone, and goes on by itself once it has begun.");
  auto typed = std::make_shared<JoinTyped>();
  JoinOrder* order = &typed->order;
  AddId(app, "from", &order->from, "The account that becomes an alias")->required();
  AddId(app, "into", &order->into, "The account that it becomes an alias of")->required();
  AddEtagOf(app, "--from-etag", &order->from_etag, "FROM");
  AddEtagOf(app, "--into-etag", &order->into_etag, "INTO");
  app->add_flag("--into-is-new", order->into_is_new,
                "Nothing was ever stored of INTO: FROM is renamed, and everything that was agreed to stays");
  AddEvidence(app, &order->evidence);
  AddRequestId(app, &order->request_id);
  AddYes(app, &typed->yes);
  app->callback([&cli, typed] {
    cli.action = [&cli, typed]() -> int {
      if (!IsConfirmed("This makes one account another name of the other one, and cannot be undone.", typed->yes)) {
        return kStopped;
      }
      return cli.WithClient([&](Client& client) {
        const auto joined = client.JoinSubjects(typed->order);
        if (!joined.ok()) return PrintError(joined.status(), cli.json);
        Report report;
        report.json = {{"already", joined->already}, {"etag", joined->revision.value()}};
        Table table("joined", {"ALREADY", "ETAG"});
        table.Add({YesNo(joined->already), joined->revision.value()});
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

}  // namespace

void AddSubject(CLI::App& app, Cli& cli) {
  CLI::App* subject = app.add_subcommand("subject", "Who lives behind an account");
  subject->require_subcommand(1);
  AddSetSubject(subject, cli);
  AddJoin(subject, cli);
  CLI::App* get =
      subject->add_subcommand("get", "Show region, profiles, devices and etag, and whether the account was closed");
  auto account = std::make_shared<AccountId>();
  AddId(get, "account", account.get(), "The account")->required();
  get->callback([&cli, account] {
    cli.action = [&cli, account] {
      return cli.WithClient([&](Client& client) {
        const auto found = client.GetSubject(*account);
        if (!found.ok()) return PrintError(found.status(), cli.json);
        return Print({SubjectJson(*found), SubjectTables(*found)}, cli, kDone);
      });
    };
  });
}

}  // namespace consent::cli
