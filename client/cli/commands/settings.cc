// consentctl settings get|set|opt-out.
#include "client/cli/commands/settings.h"

#include <algorithm>

#include "client/cli/command.h"
#include "client/cli/commands/bulk.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_unreached.h"

namespace consent::cli {
namespace {

void AddGet(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("get", "What is in force for each control and purpose, and the etag");
  auto account = std::make_shared<AccountId>();
  auto options = std::make_shared<CallOptions>();
  AddId(app, "account", account.get(), "The account")->required();
  AddTextLanguage(app, options.get());
  AddRegion(
      app, "--region", &options->region, true,
      "Of an account that is not registered: where it will be, for what it will then have; for example DE or US-CA");
  app->callback([&cli, account, options] {
    cli.action = [&cli, account, options] {
      return cli.WithClient([&](Client& client) {
        const auto current = client.GetSettings(*account, *options);
        if (!current.ok()) return PrintError(current.status(), cli.json);
        return Print({CurrentSettingsJson(*current), CurrentSettingsTables(*current)}, cli, kDone);
      });
    };
  });
}

// What is typed for `settings set`, before the scope is known.
struct SetOrder {
  SettingsUpdate update;
  Scope scope;
  std::vector<std::string> on;
  std::vector<std::string> off;
  std::optional<std::string> retention;
  // --self-profile without an id: that of the only adult, who is looked up.
  bool self_is_only_adult = false;
  // --self-profile cannot be sent: the yeses, which are for both or neither, are not either.
  bool self_is_unusable = false;
  LeftOut left_out;
  BulkFlags bulk;
};

// The only adult with a profile. FailedPrecondition: there is none, or more than one; their ids are the caller's own.
absl::StatusOr<ProfileId> OnlyAdult(Client& client, const AccountId& account) {
  const auto current = client.GetSettings(account);
  if (!current.ok()) return current.status();
  const std::vector<ProfileId>& adults = current->settings.adult_profiles;
  if (adults.size() == 1) return adults.front();
  if (adults.empty()) {
    return absl::FailedPreconditionError(
        "--self-profile: no adult's profile is registered; register one with `consentctl subject set " +
        account.value() + " --profile ID:adult`, or turn it on for the account alone, without --self-profile");
  }
  std::string ids;
  for (const ProfileId& adult : adults) ids += (ids.empty() ? "" : ", ") + adult.value();
  return absl::FailedPreconditionError("--self-profile: " + std::to_string(adults.size()) + " adults have a profile (" +
                                       ids +
                                       "); say whose yes it is, such as --self-profile=" + adults.front().value());
}

// Sets the profile of --self-profile where it was given without an id. A no beside it is sent whatever becomes of it;
// the yeses, which are for both or neither, are left out then. False, with the error told: nothing is left to send.
bool FindSelf(Client& client, const Cli& cli, SetOrder* order) {
  if (!order->self_is_only_adult) return true;
  const absl::StatusOr<ProfileId> adult = OnlyAdult(client, order->update.account_id);
  if (adult.ok()) {
    order->update.self_profile = *adult;
    return true;
  }
  SettingsUpdate& update = order->update;
  if (!Restricts(update.changes, update.retention)) {
    PrintError(adult.status(), cli.json);
    return false;
  }
  const auto is_yes = [](const SettingChange& change) { return change.turn == Switch::kOn; };
  update.changes.erase(std::remove_if(update.changes.begin(), update.changes.end(), is_yes), update.changes.end());
  order->left_out.Add("--on", std::string(adult.status().message()));
  return true;
}

void Build(SetOrder* order) {
  SettingsUpdate& update = order->update;
  for (SettingTarget& target : order->left_out.Targets("--off", order->off)) {
    update.changes.push_back({order->scope, std::move(target), Switch::kOff});
  }
  for (SettingTarget& target : order->left_out.Targets("--on", order->on)) {
    if (!order->self_is_unusable) update.changes.push_back({order->scope, std::move(target), Switch::kOn});
  }
  if (order->self_is_unusable && !order->on.empty()) {
    order->left_out.Add("--on", "is for whom --self-profile says, which must have 1 to 128 bytes of UTF-8");
  }
  update.retention = order->left_out.RetentionOf(order->scope, order->retention);
  order->left_out.Settle(Restricts(update.changes, update.retention));
  if (update.changes.empty() && update.retention.empty() && !update.confirm_restored) {
    throw CLI::RequiredError("at least one of --on, --off, --retention and --confirm-restored");
  }
}

int SetFromFile(const Cli& cli, const SetOrder& order) {
  BulkJob job;
  job.has_yeses = true;
  job.read = [&order](std::string_view line) { return ReadSettingsLine(line, order.update.evidence); };
  return RunBulk(cli, order.bulk, std::move(job),
                 {{"command", "settings set"}, {"evidence", EvidenceJson(order.update.evidence)}});
}

void AddSelfProfile(CLI::App* app, SetOrder* order) {
  app->add_option_function<std::string>(
         "--self-profile",
         [order](const std::string& text) {
           order->self_is_only_adult = text == kOnlyAdult;
           if (order->self_is_only_adult) return;
           order->self_is_unusable = text.empty() || !CheckOrLeaveOut(&order->left_out, "--self-profile", [&text] {
                                       CheckTextFlag("--self-profile", text, 0, SIZE_MAX);
                                     });
           if (!order->self_is_unusable) order->update.self_profile = ProfileId(text);
         },
         "The profile of the adult who consents: what is turned on for the account is turned on for it too, both or "
         "neither. Without an ID that of the only adult who has a profile")
      ->expected(0, 1)
      ->default_str(kOnlyAdult)
      ->type_name("[ID]");
}

void AddSetChoice(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "set",
      "Turn controls or purposes on or off, change the retention. Turning off and keeping shorter need nothing and are "
      "done even where the rest is refused; turning on needs --etag, --notice, --language, --channel and --actor.");
  auto order = std::make_shared<SetOrder>();
  const CLI::Option* account = AddId(app, "account", &order->update.account_id, "The account; or --file");
  app->add_option("--on", order->on, "A control, or a purpose in capitals, to turn on; several times")
      ->allow_extra_args(false);
  app->add_option("--off", order->off, "A control, a purpose in capitals, or all, to turn off; several times")
      ->allow_extra_args(false);
  app->add_option("--retention", order->retention, "How long audio is kept: 3m, until-deleted or do-not-save");
  app->add_flag("--confirm-restored", order->update.confirm_restored,
                "What `settings get` shows was read and stands, of an account that a restore brought back (RESTORED); "
                "needs --etag, --channel and --actor");
  AddScope(app, &order->scope);
  AddSelfProfile(app, order.get());
  AddEvidence(app, &order->update.evidence, &order->left_out);
  AddEtag(app, &order->update.etag, "settings get", &order->left_out);
  AddBulk(
      app, &order->bulk,
      "account_id, choices and retention as `import` reads them, each yes with `answers`, the time of the no that it "
      "answers");
  app->callback([&cli, order, app, account] {
    if (TakesFile(app, order->bulk, account,
                  {"--on", "--off", "--retention", "--confirm-restored", "--profile", "--device", "--self-profile",
                   "--etag"})) {
      order->left_out.Settle(false);
      cli.action = [&cli, order] { return SetFromFile(cli, *order); };
      return;
    }
    Build(order.get());
    cli.action = [&cli, order] {
      return cli.WithClient([&](Client& client) {
        if (!FindSelf(client, cli, order.get())) return static_cast<int>(kUsage);
        auto done = client.UpdateSettings(order->update);
        if (!done.ok()) return PrintError(done.status(), cli.json);
        order->left_out.AppendTo(&done->results);
        Report report;
        report.json = {{"revision", done->revision.value()},
                       {"results", PartsJson(done->results)},
                       {"consent_holds_until", TimeText(done->consent_holds_until)},
                       {"unreached", UnreachedJson(done->unreached)},
                       {"account_closed", done->account_closed}};
        Table head("settings", {"ETAG", "CONSENT HOLDS UNTIL", "ACCOUNT CLOSED"});
        head.Add({done->revision.value(), TimeText(done->consent_holds_until), YesNo(done->account_closed)});
        report.tables = {head, PartsTable(done->results), UnreachedTable(done->unreached)};
        TellNewSubject(done->subject_is_new, &report);
        TellUnusable(done->unusable, &report);
        return Print(report, cli, AnyRefused(done->results) || !done->unusable.empty() ? kPartlyRefused : kDone);
      });
    };
  });
}

struct OptOutFlags {
  OptOutOrder order;
  std::vector<std::string> controls;
  std::vector<Purpose> purposes;
  bool all = false;
  LeftOut left_out;
  BulkFlags bulk;
};

int OptOutFromFile(const Cli& cli, const OptOutFlags& flags) {
  BulkJob job;
  job.read = [&flags](std::string_view line) {
    return ReadOptOutLine(line, {flags.order.targets, flags.order.scope, flags.order.evidence});
  };
  Json targets = Json::array();
  for (const SettingTarget& target : flags.order.targets) {
    targets.push_back({target.control, static_cast<int>(target.purpose), target.all});
  }
  return RunBulk(cli, flags.bulk, std::move(job),
                 {{"command", "settings opt-out"},
                  {"targets", targets},
                  {"scope", ScopeText(flags.order.scope)},
                  {"evidence", EvidenceJson(flags.order.evidence)}});
}

void AddOptOut(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "opt-out",
      "Turn off at once: no etag, always wins, also for an account that was never seen. Say what: --control, "
      "--purpose or --all.");
  auto flags = std::make_shared<OptOutFlags>();
  const CLI::Option* account = AddId(app, "account", &flags->order.account_id, "The account; or --file");
  app->add_option("--control", flags->controls, "A control; several times")->allow_extra_args(false);
  AddNames(app, "--purpose", &flags->purposes, "A purpose; several times");
  app->add_flag("--all", flags->all, "Everything, purposes added later included");
  AddScope(app, &flags->order.scope);
  AddEvidence(app, &flags->order.evidence, &flags->left_out);
  AddBulk(app, &flags->bulk, "account_id, and choices as `import` reads them unless what is refused is said here");
  app->callback([&cli, flags, app, account] {
    const bool from_file = TakesFile(app, flags->bulk, account, {});
    OptOutOrder& order = flags->order;
    order.targets.clear();
    if (flags->all) order.targets.push_back({"", Purpose::kUnset, true});
    for (const SettingTarget& target : flags->left_out.Controls("--control", flags->controls)) {
      order.targets.push_back(target);
    }
    for (const Purpose purpose : flags->purposes) order.targets.push_back({"", purpose, false});
    flags->left_out.Settle(!from_file && !order.targets.empty());
    if (from_file) {
      cli.action = [&cli, flags] { return OptOutFromFile(cli, *flags); };
      return;
    }
    if (order.targets.empty()) throw CLI::RequiredError("at least one of --control, --purpose and --all");
    cli.action = [&cli, flags] {
      return cli.WithClient([&](Client& client) {
        auto done = client.OptOut(flags->order);
        if (!done.ok()) return PrintError(done.status(), cli.json);
        flags->left_out.AppendTo(&done->results);
        Report report;
        report.json = {{"revision", done->revision.value()},
                       {"changed_purposes", NamesJson(done->changed_purposes)},
                       {"refuses_future_purposes", done->refuses_future_purposes},
                       {"account_closed", done->account_closed},
                       {"results", PartsJson(done->results)}};
        const bool refused = AnyRefused(done->results);
        Table table("opt_out", {"ETAG", "TURNED OFF NOW", "REFUSES LATER PURPOSES", "ACCOUNT CLOSED"});
        table.Add({done->revision.value(),
                   done->changed_purposes.empty() ? "nothing: all was off" : NamesText(done->changed_purposes),
                   YesNo(done->refuses_future_purposes), YesNo(done->account_closed)});
        report.tables = {table};
        // What was done is said above it.
        if (refused) report.tables.push_back(PartsTable(done->results));
        TellNewSubject(done->subject_is_new, &report);
        TellUnusable(done->unusable, &report);
        return Print(report, cli, refused || !done->unusable.empty() ? kPartlyRefused : kDone);
      });
    };
  });
}

}  // namespace

void AddSettings(CLI::App& app, Cli& cli) {
  CLI::App* settings = app.add_subcommand("settings", "A user's choices");
  settings->require_subcommand(1);
  AddGet(settings, cli);
  AddSetChoice(settings, cli);
  AddOptOut(settings, cli);
  AddHistory(settings, cli);
  AddAt(settings, cli);
  AddOptOuts(settings, cli);
}

}  // namespace consent::cli
