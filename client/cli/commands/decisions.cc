// consentctl decisions verify.
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "client/cli/command.h"
#include "client/cli/engines/decision_check.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"

namespace consent::cli {
namespace {

// What is wrong beyond that is counted.
constexpr size_t kMostListed = 100'000;

struct VerifyFlags {
  std::vector<std::string> files;
  bool offline = false;
  bool is_part = false;
};

Json ProblemJson(const DecisionProblem& problem) {
  Json json = {{"kind", problem.kind}, {"file", problem.file}, {"record", problem.record}};
  if (problem.missing != 0) json["missing"] = problem.missing;
  if (problem.entry >= 0) json["entry"] = problem.entry;
  if (!problem.call.empty()) json["call"] = problem.call;
  json["why"] = problem.why;
  return json;
}

// Whether the last byte ends a line; also true of what cannot be looked at, such as a pipe.
bool EndsWhole(int descriptor) {
  const uint64_t size = SizeOf(descriptor);
  char last = '\n';
  return size == 0 || pread(descriptor, &last, 1, static_cast<off_t>(size - 1)) != 1 || last == '\n';
}

// The names of the log's files order as their records do, whatever folders they lie in.
std::vector<std::string> InOrder(std::vector<std::string> files) {
  std::stable_sort(files.begin(), files.end(), [](const std::string& a, const std::string& b) {
    return std::filesystem::path(a).filename() < std::filesystem::path(b).filename();
  });
  return files;
}

int RunVerify(const Cli& cli, const VerifyFlags& flags, Client* client) {
  std::vector<DecisionProblem> problems;
  DecisionCheck check(client, flags.is_part, [&problems](const DecisionProblem& problem) {
    if (problems.size() < kMostListed) problems.push_back(problem);
  });
  if (absl::Status status = check.Begin(); !status.ok()) return PrintError(status, cli.json);
  for (const std::string& path : InOrder(flags.files)) {
    const absl::StatusOr<Descriptor> input = OpenInput(path);
    if (!input.ok()) return FileError(input.status());
    LineReader reader(input->get(), kMaxDecisionLineBytes);
    const absl::Status status = check.Add(path, reader, EndsWhole(input->get()));
    if (absl::IsNotFound(status)) return FileError(status);
    if (!status.ok()) return PrintError(status, cli.json);
  }
  check.Finish();
  const DecisionCounts& counts = check.counts();
  Report report;
  Table found("problem", {"PROBLEM", "RECORD", "ENTRY", "FILE", "WHY"});
  Json list = Json::array();
  for (const DecisionProblem& problem : problems) {
    found.Add({problem.kind, std::to_string(problem.record), problem.entry < 0 ? "" : std::to_string(problem.entry),
               problem.file, problem.why});
    list.push_back(ProblemJson(problem));
  }
  report.json = {{"files", counts.files},
                 {"records", counts.records},
                 {"yeses", counts.yeses},
                 {"reads", counts.reads},
                 {"confirmed", counts.confirmed},
                 {"not_checkable", counts.not_checkable},
                 {"problem_count", counts.problems},
                 {"problems", list}};
  Table summary("decisions", {"FILES", "RECORDS", "YESES", "READS", "CONFIRMED", "NOT CHECKABLE", "PROBLEMS"});
  summary.Add({std::to_string(counts.files), std::to_string(counts.records), std::to_string(counts.yeses),
               std::to_string(counts.confirmed), std::to_string(counts.not_checkable),
               std::to_string(counts.problems)});
  report.tables = {summary};
  if (!problems.empty()) report.tables.push_back(found);
  return Print(report, cli.json, counts.problems == 0 ? kDone : kWrongDecisions);
}

}  // namespace

void AddDecisions(CLI::App& parent, Cli& cli) {
  CLI::App* decisions = parent.add_subcommand("decisions", "The decision log: what was answered yes");
  decisions->require_subcommand(1);
  CLI::App* app = decisions->add_subcommand("verify",
                                            "Check files of the decision log: gaps, changed records, and with the "
                                            "daemon each yes, by the person's history at its "
                                            "revision and by the policy of its time. Ends with 0 where nothing is "
                                            "wrong and with 50 where something is. Yeses of "
                                            "people whose history was erased are counted as not checkable.");
  auto flags = std::make_shared<VerifyFlags>();
  app->add_option("files", flags->files, "The log's files, in any order")->required()->type_name("FILE");
  app->add_flag("--offline", flags->offline, "Check the chain alone, without a daemon");
  app->add_flag("--part", flags->is_part,
                "The files are a part of the log: do not miss what lies before and behind them");
  app->callback([&cli, flags] {
    cli.action = [&cli, flags] {
      if (flags->offline) return RunVerify(cli, *flags, nullptr);
      return cli.WithClient([&](Client& client) { return RunVerify(cli, *flags, &client); });
    };
  });
}

}  // namespace consent::cli
