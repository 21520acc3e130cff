// consentctl children due|notice|keep.
#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "client/cli/times.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

Json ChildJson(const InactiveChild& child) {
  return {{"account_id", child.account_id.value()},
          {"profile_id", child.profile_id.value()},
          {"guardian_id", child.guardian.value()},
          {"due", Name(child.due)},
          {"last_active_at", TimeText(child.last_active_at)},
          {"inactive_at", TimeText(child.inactive_at)},
          {"notice_at", TimeText(child.notice_at)},
          {"purge_at", TimeText(child.purge_at)}};
}

Table ChildrenTable(const std::vector<InactiveChild>& children) {
  Table table("child",
              {"ACCOUNT", "PROFILE", "GUARDIAN", "DUE", "LAST ACTIVE", "INACTIVE SINCE", "NOTICE", "PURGE FROM"});
  for (const InactiveChild& child : children) {
    table.Add({child.account_id.value(), child.profile_id.value(), child.guardian.value(), std::string(Name(child.due)),
               TimeText(child.last_active_at), TimeText(child.inactive_at), TimeText(child.notice_at),
               TimeText(child.purge_at)});
  }
  return table;
}

void AddDue(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("due",
                                         "Profiles of children who no longer use the assistant: NOTICE: the guardian "
                                         "has to be told; ANSWER: was told, and "
                                         "the period runs; PURGE: it is over, and what the child said must go");
  auto query = std::make_shared<ChildrenQuery>();
  AddId(app, "--account", &query->account_id, "Only of this account");
  AddNames(app, "--due", &query->due, "Only what is due for this; several times");
  AddPage(app, &query->page_size, &query->page_token, "Profiles");
  app->callback([&cli, query] {
    cli.action = [&cli, query] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.ListChildrenDue(*query);
        if (!page.ok()) return PrintError(page.status(), cli.json);
        Report report;
        report.json = {{"children", Json::array()}, {"next_page_token", page->next_page_token}};
        for (const InactiveChild& child : page->children) report.json["children"].push_back(ChildJson(child));
        report.tables = {ChildrenTable(page->children), NextPageTable(page->next_page_token)};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddNotice(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "notice",
      "The guardian of an inactive child was told that what the child said will go. It counts from now on, so say it "
      "when it is sent. `children keep` answers it.");
  auto notice = std::make_shared<ChildNotice>();
  AddId(app, "account", &notice->account_id, "The account")->required();
  AddId(app, "profile", &notice->profile_id, "The child's profile")->required();
  AddEvidence(app, &notice->evidence);
  AddRequestId(app, &notice->request_id);
  app->callback([&cli, notice] {
    cli.action = [&cli, notice] {
      return cli.WithClient([&](Client& client) {
        const auto recorded = client.RecordChildNotice(*notice);
        if (!recorded.ok()) return PrintError(recorded.status(), cli.json);
        Report report;
        report.json = {{"already", recorded->already}, {"etag", recorded->revision.value()}};
        Table table("notice", {"ALREADY", "ETAG"});
        table.Add({YesNo(recorded->already), recorded->revision.value()});
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddKeep(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "keep",
      "The child used the assistant again, or its guardian keeps the profile: it counts as active, and a notice is "
      "answered. Of an inactive child it needs --etag, --channel and --actor.");
  auto update = std::make_shared<SubjectUpdate>();
  auto profile = std::make_shared<Profile>();
  AddId(app, "account", &update->account_id, "The account")->required();
  AddId(app, "profile", &profile->profile_id, "The child's profile")->required();
  AddTime(app, "--at", &profile->last_active_at, "When; default: now");
  AddEvidence(app, &update->evidence);
  AddEtag(app, &update->etag, "subject get");
  app->callback([&cli, update, profile] {
    if (!profile->last_active_at.has_value()) {
      profile->last_active_at = SystemTime();
    }
    update->profiles = {*profile};
    cli.action = [&cli, update] {
      return cli.WithClient([&](Client& client) {
        const auto done = client.UpsertSubject(*update);
        if (!done.ok()) return PrintError(done.status(), cli.json);
        Report report;
        report.json = {{"etag", done->revision.value()}, {"results", PartsJson(done->results)}};
        report.tables = {PartsTable(done->results)};
        return Print(report, cli, AnyRefused(done->results) ? kPartlyRefused : kDone);
      });
    };
  });
}

}  // namespace

void AddChildren(CLI::App& app, Cli& cli) {
  CLI::App* children = app.add_subcommand("children", "Children who no longer use the assistant");
  children->require_subcommand(1);
  AddDue(children, cli);
  AddNotice(children, cli);
  AddKeep(children, cli);
}

}  // namespace consent::cli
