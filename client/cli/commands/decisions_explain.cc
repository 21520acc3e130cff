// consentctl decisions explain.
#include <optional>
#include <utility>

#include "client/cli/commands/decisions.h"
#include "client/cli/exit_codes.h"
#include "client/cli/lines/decision_lines.h"
#include "client/cli/output.h"
#include "client/cli/render/render_explanation.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

constexpr int64_t kMostRecords = 1'000'000'000'000'000;

struct ExplainFlags {
  std::vector<std::string> files;
  AccountId account;
  int64_t record = 0;
  int entry = 0;
  CallOptions call;
};

// Finds one record among the lines.
class RecordSought final : public DecisionLineSink {
 public:
  explicit RecordSought(int64_t number) : number_(static_cast<uint64_t>(number)) {}
  void BeginFile(const std::string&) override {}
  absl::Status TakeLine(const std::string& text) override {
    absl::StatusOr<DecisionLine> line = ParseDecisionLine(text);
    // What cannot be read is told where it is verified.
    if (!line.ok() || line->number != number_) return absl::OkStatus();
    if (found_.has_value()) {
      return absl::InvalidArgumentError("two stores have a record of that number; give the files of one");
    }
    found_ = *std::move(line);
    return absl::OkStatus();
  }
  void PassOver(const std::string&) override {}
  void EndTorn() override {}

  // With the one yes; an error: there is none.
  absl::StatusOr<DecisionRecord> RecordOf(int entry) && {
    if (!found_.has_value()) return absl::InvalidArgumentError("the files have no record of that number");
    if (!found_->read.empty())
      return absl::InvalidArgumentError("that record is of what a person read, and has no yes");
    DecisionRecord& record = found_->record;
    if (static_cast<size_t>(entry) >= record.yeses.size()) {
      return absl::InvalidArgumentError("that record has the entries 0 to " + std::to_string(record.yeses.size() - 1));
    }
    RecordedYes yes = std::move(record.yeses[static_cast<size_t>(entry)]);
    record.yeses.clear();
    record.yeses.push_back(std::move(yes));
    return std::move(record);
  }

 private:
  const uint64_t number_;
  std::optional<DecisionLine> found_;
};

std::string VerdictWords(DecisionVerdict verdict) {
  switch (verdict) {
    case DecisionVerdict::kConfirmed:
      return "A yes was recorded, and the rule gives it.";
    case DecisionVerdict::kNotGiven:
      return "A yes was recorded, and the rule does not give it.";
    case DecisionVerdict::kLate:
      return "A yes was recorded, and the account had changed before: by what had been stored the rule was asked too "
             "early.";
    case DecisionVerdict::kPolicyNotInForce:
      return "A yes was recorded under a policy that was not in force.";
    case DecisionVerdict::kNotCheckable:
      return "A yes was recorded, and nobody can tell any more whether it was right.";
    case DecisionVerdict::kKeyGone:
      return "A yes was recorded, and nobody can tell any more whom it is about.";
    default:
      return "A yes was recorded of which this store knows nothing.";
  }
}

int RunExplain(const Cli& cli, const ExplainFlags& flags) {
  RecordSought sought(flags.record);
  if (absl::Status status = ReadDecisionFiles(flags.files, sought); !status.ok()) {
    return PrintReadError(status, cli.json);
  }
  const absl::StatusOr<DecisionRecord> record = std::move(sought).RecordOf(flags.entry);
  if (!record.ok()) return PrintError(record.status(), cli.json);
  return cli.WithClient([&](Client& client) {
    const absl::StatusOr<ExplainedDecision> explained = client.ExplainDecision(flags.account, *record, flags.call);
    if (!explained.ok()) return PrintError(explained.status(), cli.json);
    const ExitCode code = CodeForExplanation(explained->explanation, record->purpose);
    if (cli.json) {
      Json json = {{"verdict", Name(explained->verdict)}};
      json["explanation"] = ExplanationJson(explained->explanation);
      return PrintText(JsonText(json), code);
    }
    return PrintText(
        VerdictWords(explained->verdict) + "\n\n" + ExplanationText(explained->explanation, record->purpose), code);
  });
}

}  // namespace

void AddDecisionsExplain(CLI::App* decisions, Cli& cli) {
  CLI::App* app = decisions->add_subcommand("explain",
                                            "Why a recorded yes was given: by the choices, the policy and the time of "
                                            "then. `decisions find` says which record "
                                            "and entry it is. What it prints is about a person: keep it safe.");
  auto flags = std::make_shared<ExplainFlags>();
  app->add_option("files", flags->files, "The log's files, in any order, or its folder")->required()->type_name("FILE");
  AddId(app, "--account", &flags->account, "The person's account")->required();
  AddNumber(app, "--record", &flags->record, 1, kMostRecords, "The record's number")->required();
  AddNumber(app, "--entry", &flags->entry, 0, static_cast<int64_t>(base::kMaxBatch) - 1,
            "Which of its yeses (default 0)");
  AddTextLanguage(app, &flags->call);
  app->callback([&cli, flags] { cli.action = [&cli, flags] { return RunExplain(cli, *flags); }; });
}

}  // namespace consent::cli
