// consentctl check: one recording.
#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/render/missing_facts.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_explanation.h"
#include "client/lines/line_reader.h"
#include "consent/recording_lines.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

struct CheckFlags {
  Recording recording;
  Question question;
  std::string file;
  std::optional<int64_t> uncertainty_ms;
  std::string at_least;
  bool disposition_only = false;
  bool explain = false;
  std::optional<Time> at;
  CallOptions call;
};

void AddFacts(CLI::App* app, CheckFlags* flags) {
  Recording& recording = flags->recording;
  AddId(app, "--account", &recording.account_id, "Whose recording it is");
  AddId(app, "--recording", &recording.recording_id, "Which recording it is");
  AddTime(app, "--captured-at", &recording.captured_at, "When it was captured, by the device's clock");
  AddNumber(app, "--captured-uncertainty-ms", &flags->uncertainty_ms, 0, base::kMaxUncertaintyMs,
            "How far captured-at may be off");
  AddTime(app, "--ingested-at", &recording.ingested_at, "When a server received it");
  app->add_option_function<std::vector<std::string>>(
         "--profile",
         [&recording](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             CheckId("--profile", text);
             recording.profile_ids.emplace_back(text);
           }
           if (texts.size() > base::kMaxNamedProfiles)
             throw CLI::ValidationError("--profile", "may be given at most 8 times");
         },
         "A speaker; several times")
      ->allow_extra_args(false);
  AddId(app, "--device", &recording.device_id, "The device");
  AddRegion(app, "--region", &recording.region, true, "Where it was captured: DE or US-CA");
  AddName(app, "--wake", &recording.wake, "How it began");
  AddName(app, "--kind", &recording.kind, "What it holds");
  AddName(app, "--speakers", &recording.speakers, "How many speak");
  AddName(app, "--identity", &recording.identity, "Whether the voice was matched to the profiles");
  AddName(app, "--age", &recording.age, "Who speaks");
  AddName(app, "--artefact", &recording.artefact, "What is asked about (default SOURCE)");
  AddName(app, "--made-for", &recording.made_for, "For a copy: what it was made for");
  AddNames(app, "--flag", &recording.flags, "What is known about it");
}

// The one line that the file is.
absl::StatusOr<RecordingLine> ReadOneLine(int input) {
  LineReader reader(input, kMaxLineBytes);
  std::string line;
  std::string more;
  switch (reader.Next(&line)) {
    case LineReader::Result::kLine:
      break;
    case LineReader::Result::kTooLong:
      return absl::InvalidArgumentError("the line is longer than " + std::to_string(kMaxLineBytes) + " bytes");
    case LineReader::Result::kError:
      return absl::NotFoundError("the file cannot be read");
    default:
      return absl::InvalidArgumentError("the file is empty");
  }
  if (reader.Next(&more) != LineReader::Result::kEnd) {
    return absl::InvalidArgumentError("the file must hold one JSON object on one line, and nothing behind it");
  }
  return ParseRecordingLine(line, {});
}

// Text that a person or a script reads must hold no ELIGIBLE that is over.
std::string EligibilityText(const Answer& answer) {
  const bool stale_yes = answer.eligibility() == Eligibility::kEligible && !answer.IsFresh();
  return stale_yes ? "NO ANSWER: the yes was over when it came" : std::string(Name(answer.eligibility()));
}

Report AnswerReport(const Answer& answer) {
  Report report;
  report.json = {
      {"eligibility", Name(answer.eligibility())},    {"disposition", Name(answer.disposition())},
      {"reasons", NamesJson(answer.reasons())},       {"missing_facts", FactKeysJson(answer.missing_facts())},
      {"good_until", TimeText(answer.good_until())},  {"fresh", answer.IsFresh()},
      {"checked_at", TimeText(answer.checked_at())},  {"policy_version", answer.policy_version()},
      {"policy_hash", HexText(answer.policy_hash())}, {"revision", answer.revision()}};
  Table table("answer", {"ELIGIBILITY", "DISPOSITION", "WHY", "GOOD UNTIL", "POLICY"});
  table.Add({EligibilityText(answer), std::string(Name(answer.disposition())), NamesText(answer.reasons()),
             TimeText(answer.good_until()), answer.policy_version()});
  report.tables = {table};
  if (!answer.missing_facts().empty()) {
    Table missing("missing_fact", {"MISSING FACT", "NOBODY SAID", "SAY IT BY"});
    for (const MissingFact fact : answer.missing_facts()) {
      missing.Add({FactKey(fact), FactWords(fact), FactOption(fact)});
    }
    report.tables.push_back(std::move(missing));
  }
  return report;
}

// Fills flags from --file. Returns an exit code, or kDone.
int TakeFile(CheckFlags* flags) {
  const absl::StatusOr<Descriptor> input = OpenInput(flags->file);
  if (!input.ok()) return FileError(input.status());
  const absl::StatusOr<RecordingLine> line = ReadOneLine(input->get());
  if (absl::IsNotFound(line.status())) return FileError(line.status());
  if (!line.ok()) {
    std::fprintf(stderr, "consentctl: %s\n", std::string(line.status().message()).c_str());
    return kUnreadable;
  }
  flags->recording = line->recording;
  Place& place = flags->question.place;
  if (!line->place.country.empty()) place.country = line->place.country;
  if (!line->place.site.empty()) place.site = line->place.site;
  if (line->place.reviewer != ReviewerClass::kUnset) place.reviewer = line->place.reviewer;
  return kDone;
}

int RunExplain(const Cli& cli, const CheckFlags& flags) {
  return cli.WithClient([&](Client& client) {
    const ExplainQuestion question{flags.question.purpose, flags.question.place, flags.at};
    const absl::StatusOr<Explanation> explanation = client.ExplainCheck(flags.recording, question, flags.call);
    if (!explanation.ok()) return PrintError(explanation.status(), cli.json);
    const ExitCode code = CodeForExplanation(*explanation, question.purpose);
    if (cli.json) return PrintText(JsonText(ExplanationJson(*explanation)), code);
    return PrintText(ExplanationText(*explanation, question.purpose), code);
  });
}

int RunCheck(const Cli& cli, const std::shared_ptr<CheckFlags>& flags) {
  if (!flags->file.empty()) {
    if (const int code = TakeFile(flags.get()); code != kDone) return code;
  }
  if (flags->explain) return RunExplain(cli, *flags);
  return cli.WithClient([&](Client& client) {
    flags->question.full = true;
    flags->question.at_least_revision = Etag(flags->at_least);
    Answer answer = client.Check(flags->recording, flags->question);
    // A yes that came too late to be used may come in time when asked again.
    if (answer.eligibility() == Eligibility::kEligible && !answer.IsFresh()) {
      answer = client.Check(flags->recording, flags->question);
    }
    if (!answer.error().ok()) return PrintError(answer.error(), cli.json);
    const ExitCode code =
        flags->disposition_only ? CodeForDisposition(answer) : CodeForUse(answer, flags->question.purpose);
    return Print(AnswerReport(answer), cli, code);
  });
}

}  // namespace

void AddCheck(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand("check",
                                        "With --purpose: may this recording be used for it, here, now? Ends with 0 for "
                                        "ELIGIBLE and with 10 for NOT_ELIGIBLE. With --disposition: what is to be done "
                                        "with it? Ends with 11 for KEEP, 12 for "
                                        "HOLD, 13 for PURGE. 20: there is no answer.");
  auto flags = std::make_shared<CheckFlags>();
  AddFacts(app, flags.get());
  NotEmpty(app->add_option(
      "--file", flags->file,
      "The facts as one JSON object, keys as for `filter`, and no other option for a fact; - for standard input"));
  CLI::Option* purpose = AddName(app, "--purpose", &flags->question.purpose, "What it would be used for");
  app->add_flag("--disposition", flags->disposition_only, "Ask only whether it is kept, held or must be purged")
      ->excludes(purpose);
  AddPlace(app, &flags->question.place);
  AddSelection(app, &flags->question.selection);
  AddText(app, "--at-least-revision", &flags->at_least, 0, base::kMaxTokenBytes,
          "Answer at least as fresh as this etag");
  app->add_flag("--explain", flags->explain,
                "Say in words why: what counted, and what nearly did. Lets nobody use or purge anything: ends with 14, "
                "whatever it says");
  AddTime(app, "--at", &flags->at,
          "With --explain: as it was at that time, as far as can still be told; or will be, if nothing changes",
          TimeForm::kFirst);
  AddTextLanguage(app, &flags->call);
  app->callback([&cli, flags] {
    if (!flags->explain && (flags->at.has_value() || !flags->call.language.empty())) {
      throw CLI::ValidationError("--explain", "is missing: --at and --language are given beside it alone");
    }
    if (flags->explain && !flags->at_least.empty()) {
      throw CLI::ValidationError("--at-least-revision",
                                 "cannot be given beside --explain, which answers by what is stored");
    }
    if (flags->question.purpose == Purpose::kUnset && !flags->disposition_only) {
      throw CLI::RequiredError("--purpose (may it be used?) or --disposition (must it be purged?)");
    }
    if (flags->uncertainty_ms.has_value()) {
      flags->recording.captured_uncertainty = std::chrono::milliseconds(*flags->uncertainty_ms);
    }
    const bool by_flags = !flags->recording.account_id.empty() && !flags->recording.recording_id.empty();
    if (flags->file.empty() && !by_flags) throw CLI::RequiredError("--account and --recording, or --file");
    // A flag that the file does not hold must not be dropped: the recording would be let through.
    if (!flags->file.empty() && flags->recording != Recording{}) {
      throw CLI::ValidationError(
          "--file", "cannot be given beside --account, --recording and the other facts; the file has them all");
    }
    cli.action = [&cli, flags] { return RunCheck(cli, flags); };
  });
}

}  // namespace consent::cli
