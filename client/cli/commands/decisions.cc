// consentctl decisions verify.
#include "client/cli/commands/decisions.h"

#include "client/cli/engines/decision_check.h"
#include "client/cli/engines/decision_files.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/lines/json_fields.h"

namespace consent::cli {
namespace {

// What is wrong beyond that is counted.
constexpr size_t kMostListed = 100'000;
constexpr size_t kMostDaemons = 63;  // beside --endpoint's
constexpr std::chrono::seconds kMostWithin = std::chrono::hours(24 * 90);
constexpr std::chrono::seconds kMostSkew = std::chrono::hours(1);

struct VerifyFlags {
  std::vector<std::string> files;
  std::vector<std::string> daemons;
  bool offline = false;
  bool report = false;
  DecisionCheckOptions check;
  std::string heard_file;
  HeardOptions heard;
};

Json ProblemJson(const DecisionProblem& problem) {
  Json json = {{"kind", problem.kind}, {"store", problem.store}, {"file", problem.file}, {"record", problem.record}};
  if (problem.missing != 0) json["missing"] = problem.missing;
  if (problem.entry >= 0) json["entry"] = problem.entry;
  if (!problem.call.empty()) json["call"] = problem.call;
  json["why"] = problem.why;
  return json;
}

Json UseJson(const DecisionUse& use, const DecisionUses& uses) {
  return {{"caller", use.caller},
          {"purpose", Name(use.purpose)},
          {"selection", Name(use.selection)},
          {"reviewer", Name(use.place.reviewer)},
          {"country", use.place.country},
          {"site", use.place.site},
          {"yeses", uses.yeses},
          {"wrong", uses.wrong},
          {"not_checkable", uses.not_checkable},
          {"not_checked", uses.not_checked}};
}

Table UseTable(const DecisionCheck& check) {
  Table table("use", {"CALLER", "PURPOSE", "SELECTION", "REVIEWER", "COUNTRY", "SITE", "YESES", "WRONG",
                      "NOT CHECKABLE", "NOT CHECKED"});
  for (const auto& [use, uses] : check.uses()) {
    table.Add({use.caller, std::string(Name(use.purpose)), std::string(Name(use.selection)),
               std::string(Name(use.place.reviewer)), use.place.country, use.place.site, std::to_string(uses.yeses),
               std::to_string(uses.wrong), std::to_string(uses.not_checkable), std::to_string(uses.not_checked)});
  }
  return table;
}

Report ReportOf(const DecisionCheck& check, const std::vector<DecisionProblem>& problems) {
  const DecisionCounts& counts = check.counts();
  Report report;
  report.json = {{"files", counts.files},
                 {"records", counts.records},
                 {"yeses", counts.yeses},
                 {"reads", counts.reads},
                 {"confirmed", counts.confirmed},
                 {"not_checkable", counts.not_checkable},
                 {"keys_gone", counts.keys_gone},
                 {"heard_not_checkable", counts.heard_not_checkable},
                 {"problem_count", counts.problems},
                 {"uses", Json::array()},
                 {"problems", Json::array()}};
  Table found("problem", {"PROBLEM", "RECORD", "ENTRY", "FILE", "STORE", "WHY"});
  for (const DecisionProblem& problem : problems) {
    found.Add({problem.kind, std::to_string(problem.record), problem.entry < 0 ? "" : std::to_string(problem.entry),
               problem.file, problem.store, problem.why});
    report.json["problems"].push_back(ProblemJson(problem));
  }
  for (const auto& [use, uses] : check.uses()) report.json["uses"].push_back(UseJson(use, uses));
  Table summary("decisions",
                {"FILES", "RECORDS", "YESES", "READS", "CONFIRMED", "NOT CHECKABLE", "KEYS GONE", "PROBLEMS"});
  summary.Add({std::to_string(counts.files), std::to_string(counts.records), std::to_string(counts.yeses),
               std::to_string(counts.reads), std::to_string(counts.confirmed), std::to_string(counts.not_checkable),
               std::to_string(counts.keys_gone), std::to_string(counts.problems)});
  report.tables = {summary, UseTable(check)};
  if (!problems.empty()) report.tables.push_back(found);
  return report;
}

absl::Status ReadHeard(const VerifyFlags& flags, DecisionCheck& check) {
  if (flags.heard_file.empty()) return absl::OkStatus();
  const absl::StatusOr<Descriptor> input = OpenInput(flags.heard_file);
  if (!input.ok()) return absl::NotFoundError(input.status().message());
  LineReader reader(input->get(), kMaxLineBytes);
  return check.ReadHeard(flags.heard, flags.heard_file, reader);
}

int RunVerify(const Cli& cli, const VerifyFlags& flags, const std::vector<Client*>& clients, const StopRequest& stop) {
  std::vector<DecisionProblem> problems;
  DecisionCheckOptions options = flags.check;
  options.clients = clients;
  DecisionCheck check(options, [&problems](const DecisionProblem& problem) {
    if (problems.size() < kMostListed) problems.push_back(problem);
  });
  if (absl::Status status = check.Begin(); !status.ok()) return PrintError(status, cli.json);
  if (absl::Status status = ReadHeard(flags, check); !status.ok()) return PrintReadError(status, cli.json);
  if (absl::Status status = ReadDecisionFiles(flags.files, check, stop.sign()); !status.ok()) {
    if (stop.Asked()) return PrintStopped(status);
    return PrintReadError(status, cli.json);
  }
  check.Finish();
  if (flags.report) {
    for (const auto& [client, found] : check.Reports()) {
      if (absl::Status status = client->ReportVerification(found); !status.ok()) return PrintError(status, cli.json);
    }
  }
  return Print(ReportOf(check, problems), cli, check.counts().problems == 0 ? kDone : kWrongDecisions);
}

CLI::Option* AddSpan(CLI::App* app, const std::string& flag, std::chrono::seconds* out, std::chrono::seconds most,
                     const std::string& most_text, const std::string& help) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, out, most, most_text](const std::string& text) {
            if (!ParseDuration(text, out) || *out > most) {
              throw CLI::ValidationError(flag,
                                         "must be a whole number with a unit, such as 30s, 15min, 12h or 30d, of "
                                         "at most " +
                                             most_text);
            }
          },
          help)
      ->type_name("DURATION");
}

void AddHeard(CLI::App* app, VerifyFlags* flags) {
  CLI::Option* const heard =
      NotEmpty(app->add_option("--heard", flags->heard_file,
                               "What a tool says that it played, one JSON object a line: each line that no yes or "
                               "review grant on record allows is a problem"))
          ->type_name("FILE");
  AddName(app, "--heard-purpose", &flags->heard.purpose, "What it was played for (default HUMAN_REVIEW)")->needs(heard);
  AddSpan(app, "--heard-within", &flags->heard.within, kMostWithin, "90d",
          "How long before the playing a yes counts (default 24h, at most 90d)")
      ->needs(heard);
  AddSpan(app, "--heard-skew", &flags->heard.skew, kMostSkew, "1h",
          "How far the tool's clock may be behind the daemon's (default 0s, at most 1h)")
      ->needs(heard);
}

void AddVerify(CLI::App* decisions, Cli& cli) {
  CLI::App* app = decisions->add_subcommand("verify",
                                            "Check files of the decision log: gaps, changed records, and with the "
                                            "daemon each yes, by the person's history at its "
                                            "revision and by the policy of its time. Tells who could use what, and "
                                            "what of it was wrong. Ends with 0 where nothing is "
                                            "wrong and with 50 where something is. Yeses of "
                                            "people whose history was erased, and of months whose key was destroyed, "
                                            "are counted as not checkable.");
  auto flags = std::make_shared<VerifyFlags>();
  app->add_option("files", flags->files, "The log's files, in any order, or its folder")->required()->type_name("FILE");
  CLI::Option* const offline = app->add_flag("--offline", flags->offline, "Check the chain alone, without a daemon");
  app->add_flag("--part", flags->check.is_part,
                "The files are a part of the log: do not miss what lies before and behind them");
  CLI::Option* const report =
      app->add_flag("--report", flags->report,
                    "Tell each daemon what was found of its whole log, for its metrics; needs the role OFFICER");
  AddPeriod(app, &flags->check.decided, "Check and count yeses");
  AddHeard(app, flags.get());
  AddDaemons(app, &flags->daemons);
  for (const char* online : {"--heard", "--daemon"}) app->get_option(online)->excludes(offline);
  for (const char* part : {"--offline", "--part", "--from", "--to"}) app->get_option(part)->excludes(report);
  app->callback([&cli, flags] {
    CheckPeriod(flags->check.decided);
    cli.action = [&cli, flags] {
      const StopRequest stop(kLinesPatience, StopRequest::AtOnce::kEndsProcess);
      if (!stop.status().ok()) return FileError(stop.status());
      if (flags->offline) return RunVerify(cli, *flags, {}, stop);
      return WithDaemons(cli, flags->daemons,
                         [&](const std::vector<Client*>& clients) { return RunVerify(cli, *flags, clients, stop); });
    };
  });
}

}  // namespace

void AddPeriod(CLI::App* app, Period* period, const std::string& what) {
  AddTime(app, "--from", &period->from, what + " decided at or after this time", TimeForm::kFirst);
  AddTime(app, "--to", &period->to, what + " decided before this time", TimeForm::kFirst);
}

void CheckPeriod(const Period& period) {
  if (period.from.has_value() && period.to.has_value() && *period.from >= *period.to) {
    throw CLI::ValidationError("--to", kEmptyPeriod);
  }
}

void AddDaemons(CLI::App* app, std::vector<std::string>* endpoints) {
  app->add_option_function<std::vector<std::string>>(
         "--daemon",
         [endpoints](const std::vector<std::string>& texts) {
           if (texts.size() > kMostDaemons) throw CLI::ValidationError("--daemon", "may be given at most 63 times");
           for (const std::string& text : texts) {
             if (text.empty()) throw CLI::ValidationError("--daemon", "must not be empty");
           }
           *endpoints = texts;
         },
         "Another daemon whose log is given, reached as --endpoint is and with the same certificate; several times")
      ->allow_extra_args(false)
      ->type_name("ENDPOINT");
}

int WithDaemons(const Cli& cli, const std::vector<std::string>& endpoints,
                const std::function<int(const std::vector<Client*>&)>& with) {
  std::vector<std::unique_ptr<Client>> owned;
  std::vector<Client*> clients;
  Cli one = cli;
  for (size_t i = 0; i <= endpoints.size(); ++i) {
    if (i != 0) one.endpoint = endpoints[i - 1];
    absl::StatusOr<std::unique_ptr<Client>> client = one.Connect();
    if (!client.ok()) {
      PrintError(client.status(), cli.json);
      return kUsage;
    }
    clients.push_back(owned.emplace_back(*std::move(client)).get());
  }
  return with(clients);
}

int PrintStopped(const absl::Status& status) {
  std::fprintf(stderr, "consentctl: %s; nothing was found out by it. Run the same command again\n",
               Printable(std::string(status.message())).c_str());
  return kStopped;
}

int PrintReadError(const absl::Status& status, bool as_json) {
  return absl::IsNotFound(status) ? FileError(status) : PrintError(status, as_json);
}

void AddDecisions(CLI::App& parent, Cli& cli) {
  CLI::App* decisions = parent.add_subcommand("decisions", "The decision log: what was answered yes");
  decisions->require_subcommand(1);
  AddVerify(decisions, cli);
  AddDecisionsFind(decisions, cli);
  AddDecisionsExplain(decisions, cli);
}

}  // namespace consent::cli
