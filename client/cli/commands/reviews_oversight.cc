// consentctl reviews revoke|list|heard|key: what officers, persons and operators ask.
#include <memory>
#include <string>

#include "client/cli/command.h"
#include "client/cli/commands/reviews.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "client/cli/render/render_heard.h"
#include "consent/reviews.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

Json GrantJson(const GrantShown& grant) {
  return {{"grant_id", grant.grant_id},
          {"pseudonym", grant.pseudonym},
          {"state", Name(grant.state)},
          {"purpose", Name(grant.purpose)},
          {"country", grant.place.country},
          {"site", grant.place.site},
          {"reviewer_class", Name(grant.place.reviewer)},
          {"listener", grant.reviewer},
          {"selection", Name(grant.selection)},
          {"given_at", TimeText(grant.given_at)},
          {"expires_at", TimeText(grant.expires_at)},
          {"opens", grant.opens},
          {"redeems", grant.redeems},
          {"offline_opens", grant.offline_opens},
          {"outcome", Name(grant.outcome)}};
}

// Nothing for what nobody said.
template <typename Enum>
std::string ToldText(Enum value) {
  return value == Enum::kUnset ? std::string() : std::string(Name(value));
}

Table GrantsTable(const std::vector<GrantShown>& grants) {
  Table table("grant", {"GRANT", "STATE", "OUTCOME", "LISTENER", "PURPOSE", "COUNTRY", "SITE", "OPENS", "REDEEMS",
                        "OFFLINE OPENS", "GIVEN", "EXPIRES", "PSEUDONYM"});
  for (const GrantShown& grant : grants) {
    table.Add({grant.grant_id, std::string(Name(grant.state)), ToldText(grant.outcome), grant.reviewer,
               std::string(Name(grant.purpose)), grant.place.country, grant.place.site, std::to_string(grant.opens),
               std::to_string(grant.redeems), std::to_string(grant.offline_opens), TimeText(grant.given_at),
               TimeText(grant.expires_at), grant.pseudonym});
  }
  return table;
}

Report HeardReport(const HeardList& list) {
  Report report;
  report.json = {{"heard", HeardJson(list.heard)}, {"is_cut", list.is_cut}};
  report.tables = {HeardTable(list.heard)};
  if (list.is_cut) {
    Table cut("cut", {"SHOWN", "MORE"});
    cut.Add({std::to_string(list.heard.size()), "yes"});
    report.tables.push_back(cut);
  }
  return report;
}

void AddRevoke(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "revoke",
      "End every live grant of a listener, a site or a purpose, or all, everywhere and at once. Later ones are given "
      "again: to give none, see `policy suspend`.");
  auto order = std::make_shared<RevokeOrder>();
  AddText(app, "--listener", &order->reviewer, 1, base::kMaxNameBytes, "Of this listener, as `reviews list` shows it");
  AddText(app, "--site", &order->site, 1, base::kMaxNameBytes, "Of this site");
  AddName(app, "--purpose", &order->purpose, "Of this purpose");
  app->add_flag("--all", order->all, "All of them");
  AddText(app, "--reason", &order->reason, 1, base::kMaxReasonBytes, "Why, without ids of people")->required();
  app->callback([&cli, order, app] {
    if (app->count("--listener") + app->count("--site") + app->count("--purpose") + app->count("--all") != 1) {
      throw CLI::ValidationError("revoke", "takes exactly one of --listener, --site, --purpose and --all");
    }
    cli.action = [&cli, order] {
      return cli.WithClient([&](Client& client) {
        const auto since = client.reviews().Revoke(*order);
        if (!since.ok()) return PrintError(since.status(), cli.json);
        Report report;
        report.json = {{"revoked_at", TimeText(*since)}};
        Table table("revoked", {"SINCE"});
        table.Add({TimeText(*since)});
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddListGrants(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "list", "The latest grant of each recording, as it stands now. Names no account and no recording.");
  auto query = std::make_shared<GrantQuery>();
  AddName(app, "--state", &query->state, "Only those that stand so");
  AddPage(app, &query->page_size, &query->page_token, "Grants");
  app->callback([&cli, query] {
    cli.action = [&cli, query] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.reviews().ListGrants(*query);
        if (!page.ok()) return PrintError(page.status(), cli.json);
        Report report;
        report.json = {{"grants", Json::array()}, {"next_page_token", page->next_page_token}};
        for (const GrantShown& grant : page->grants) report.json["grants"].push_back(GrantJson(grant));
        report.tables = {GrantsTable(page->grants), NextPageTable(page->next_page_token)};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddHeard(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "heard",
      "What of an account people were given to hear, for the person whose account it is: when, for what, where, by "
      "an employee or a contractor, and what came of it; never by whom");
  auto account = std::make_shared<AccountId>();
  AddId(app, "account", account.get(), "Whose recordings they are")->required();
  app->callback([&cli, account] {
    cli.action = [&cli, account] {
      return cli.WithClient([&](Client& client) {
        const auto list = client.reviews().ListHeard(*account);
        if (!list.ok()) return PrintError(list.status(), cli.json);
        return Print(HeardReport(*list), cli, kDone);
      });
    };
  });
}

void AddKey(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "key", "The public key under which media tokens are signed, for data systems that look at them before a call");
  app->callback([&cli] {
    cli.action = [&cli] {
      return cli.WithClient([&](Client& client) {
        const auto key = client.reviews().GetMediaKey();
        if (!key.ok()) return PrintError(key.status(), cli.json);
        const std::string text = HexText(std::string(key->begin(), key->end()));
        Report report;
        report.json = {{"public_key", text}};
        Table table("media_key", {"ED25519"});
        table.Add({text});
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

}  // namespace

void AddReviewOversight(CLI::App* parent, Cli& cli) {
  AddRevoke(parent, cli);
  AddListGrants(parent, cli);
  AddHeard(parent, cli);
  AddKey(parent, cli);
}

}  // namespace consent::cli
