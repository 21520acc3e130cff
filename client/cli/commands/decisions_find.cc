// consentctl decisions find.

#include "client/cli/commands/decisions.h"
#include "client/cli/engines/decision_find.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/times.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

struct FindFlags {
  std::vector<std::string> files;
  std::vector<std::string> daemons;
  DecisionQuery query;
};

int RunFind(const Cli& cli, const FindFlags& flags, const std::vector<Client*>& clients, const StopRequest& stop) {
  std::vector<FoundDecision> found;
  DecisionFind find(clients, flags.query, [&found](const FoundDecision& one) {
    if (found.size() < kMostFound) found.push_back(one);
  });
  const Time now = SystemTime();
  if (absl::Status status = find.Begin(now); !status.ok()) return PrintError(status, cli.json);
  if (absl::Status status = ReadDecisionFiles(flags.files, find, stop.sign()); !status.ok()) {
    if (stop.Asked()) return PrintStopped(status);
    return PrintReadError(status, cli.json);
  }
  Report report;
  report.json = FindCountsJson(find.counts());
  report.json["decisions"] = Json::array();
  for (const FoundDecision& one : found) report.json["decisions"].push_back(FoundJson(one));
  report.tables = {FindCountsTable(find.counts())};
  if (!found.empty()) report.tables.push_back(FoundTable(found));
  return Print(report, cli, SawAll(find.counts()) ? kDone : kUnreadable);
}

// Several times, and no more often than the daemon takes.
template <typename Tag>
void AddSought(CLI::App* app, const std::string& flag, std::vector<Id<Tag>>* out, size_t most,
               const std::string& help) {
  AddIds(app, flag, out, help)->each([flag, out, most](const std::string&) {
    if (out->size() > most) throw CLI::ValidationError(flag, "may be given at most " + std::to_string(most) + " times");
  });
}

}  // namespace

void AddDecisionsFind(CLI::App* decisions, Cli& cli) {
  CLI::App* app = decisions->add_subcommand(
      "find",
      "Which records are about one person: who looked at what is stored of them, and who could use what of "
      "theirs, when, where and why. Does not check them: `decisions verify` "
      "does. What it prints is about a person: keep it safe.");
  auto flags = std::make_shared<FindFlags>();
  DecisionQuery& query = flags->query;
  app->add_option("files", flags->files, "The log's files, in any order, or its folder")->required()->type_name("FILE");
  AddId(app, "--account", &query.account_id, "The person's account")->required();
  AddSought(app, "--recording", &query.recording_ids, base::kMaxBatch, "Only of this recording; several times");
  AddSought(app, "--profile", &query.profile_ids, base::kMaxNamedProfiles,
            "Only of recordings of this speaker; several times");
  AddSought(app, "--device", &query.device_ids, base::kMaxNamedProfiles,
            "Only of recordings of this device; several times");
  AddPeriod(app, &query.decided, "Only what was");
  AddDaemons(app, &flags->daemons);
  app->callback([&cli, flags] {
    CheckPeriod(flags->query.decided);
    cli.action = [&cli, flags] {
      const StopRequest stop(kLinesPatience, StopRequest::AtOnce::kEndsProcess);
      if (!stop.status().ok()) return FileError(stop.status());
      return WithDaemons(cli, flags->daemons,
                         [&](const std::vector<Client*>& clients) { return RunFind(cli, *flags, clients, stop); });
    };
  });
}

}  // namespace consent::cli
