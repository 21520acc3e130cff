// consentctl filter.
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/engines/filter_engine.h"
#include "client/cli/engines/filter_shadow.h"
#include "client/cli/engines/filter_summary.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/render/missing_facts.h"
#include "client/cli/render/render.h"
#include "client/cli/times.h"

namespace consent::cli {
namespace {

struct FilterFlags {
  FilterSettings settings;
  LineDefaults defaults;
  std::string input = "-";
  std::string country;
  std::string site;
  ReviewerClass reviewer = ReviewerClass::kUnset;
  std::vector<std::string> set;
  std::string refused_path;
  std::string purge_path;
  bool force = false;
  bool advise = false;
  std::optional<Time> shadow_until;

  // Enforces nothing; decided at `now`.
  bool in_shadow = false;
  Time now{};
};

Json RefusedJson(const RefusedLine& line) {
  Json json = {{"line", line.number},
               {"recording_id", line.recording_id.value()},
               {"disposition", Name(line.disposition)},
               {"reasons", line.reasons}};
  if (!line.missing_facts.empty()) json["missing_facts"] = FactKeysJson(line.missing_facts);
  return json;
}

// Standard output, the two files, and standard error.
class Outputs final : public FilterSink {
 public:
  // `in_shadow`: what is eligible is not written, because all that comes is.
  Outputs(LineFile refused, LineFile purge, uint64_t total_bytes, bool as_json, bool in_shadow)
      : eligible_(in_shadow ? LineFile() : LineFile(STDOUT_FILENO)),
        refused_(std::move(refused)),
        purge_(std::move(purge)),
        bar_(total_bytes, !as_json),
        as_json_(as_json) {}

  absl::Status Eligible(const std::string& lines) override {
    absl::Status written = eligible_.Write(lines);
    reader_is_gone_ = !written.ok() && errno == EPIPE;
    return written;
  }

  absl::Status Refused(const std::vector<RefusedLine>& refused) override {
    std::string all;
    std::string purge;
    for (const RefusedLine& line : refused) {
      const std::string text = PrintableJson(RefusedJson(line).dump()) + "\n";
      all += text;
      if (line.disposition == Disposition::kPurge) purge += text;
    }
    if (absl::Status status = purge_.Write(purge); !status.ok()) return status;
    return refused_.Write(all);
  }

  void Unreadable(uint64_t number, const std::string& why) override {
    if (++unreadable_ > kMostPrinted) return;
    problems_.push_back({{"line", number}, {"why", why}});
    if (as_json_) return;
    bar_.Say("line " + std::to_string(number) + ": " + why);
    if (unreadable_ == kMostPrinted) std::fprintf(stderr, "further lines that cannot be read are only counted\n");
  }

  void Progress(const FilterCounts& counts, uint64_t bytes) override {
    bar_.Show(bytes, std::to_string(counts.lines) + " lines, " + std::to_string(counts.eligible) + " eligible");
  }

  ProgressBar& bar() { return bar_; }
  const Json& problems() const { return problems_; }
  bool reader_is_gone() const { return reader_is_gone_; }

 private:
  LineFile eligible_;
  LineFile refused_;
  LineFile purge_;
  ProgressBar bar_;
  const bool as_json_;
  bool reader_is_gone_ = false;
  uint64_t unreadable_ = 0;
  Json problems_ = Json::array();
};

// How a run went.
struct Ended {
  FilterEnd end;
  FilterCounts counts;
  const FactAdvice& advice;
  const Json& problems;
};

int CodeOf(const Ended& ended, bool in_shadow) {
  switch (ended.end.how) {
    case FilterEnd::How::kInputFailed:
    case FilterEnd::How::kOutputFailed:
      return kFiles;
    case FilterEnd::How::kDaemonFailed:
      return in_shadow ? kNotEnforced : CodeFor(ended.end.status);
    case FilterEnd::How::kStopped:
      return kStopped;
    case FilterEnd::How::kShadowOver:
      return kNotEnforced;
    case FilterEnd::How::kComplete:
      break;
  }
  if (in_shadow) return kNotEnforced;
  return ended.counts.unreadable > 0 ? kUnreadable : kDone;
}

std::string WhyItEnded(const FilterEnd& end, bool in_shadow) {
  switch (end.how) {
    case FilterEnd::How::kComplete:
      return "";
    case FilterEnd::How::kInputFailed:
      return "the input cannot be read: " + std::string(end.status.message());
    case FilterEnd::How::kOutputFailed:
      return ErrorText(end.status);
    case FilterEnd::How::kStopped:
      if (in_shadow) {
        return "stopped before line " + std::to_string(end.first_unanswered) +
               "; lines are passed through as they are read, so some from there on may have been. Begin anew";
      }
      return "stopped before line " + std::to_string(end.first_unanswered) +
             "; nothing from there on was let through. Go on with the lines from there: `tail -n +" +
             std::to_string(end.first_unanswered) + " FILE | consentctl filter ...`";
    case FilterEnd::How::kShadowOver:
      return "shadow mode ended before the input did, and nothing further was passed; run it again: it enforces";
    case FilterEnd::How::kDaemonFailed:
      break;
  }
  return "no answer from line " + std::to_string(end.first_unanswered) +
         (in_shadow ? " on; all from there on was passed through. " : " on; nothing from there on was let through. ") +
         ErrorText(end.status);
}

Json SummaryJson(const FilterFlags& flags, const Ended& ended) {
  const FilterCounts& counts = ended.counts;
  const std::string why = WhyItEnded(ended.end, flags.in_shadow);
  Json json = {{"lines", counts.lines},           {"eligible", counts.eligible},
               {"refused", counts.refused},       {"refused_by_reason", counts.refused_by_reason},
               {"to_purge", counts.to_purge},     {"unreadable", counts.unreadable},
               {"unanswered", counts.unanswered}, {"missing_facts", MissingFactsJson(counts)},
               {"hints", HintsOf(counts)},        {"unreadable_lines", ended.problems},
               {"complete", why.empty()},         {"error", why},
               {"enforced", !flags.in_shadow}};
  if (ended.end.first_unanswered > 0) json["first_unanswered_line"] = ended.end.first_unanswered;
  if (flags.shadow_until.has_value()) json["shadow_until"] = TimeText(flags.shadow_until);
  if (flags.advise) json["advice"] = AdviceJson(ended.advice);
  return json;
}

// On standard error, because standard output carries the recordings.
void PrintSummary(const FilterFlags& flags, const Ended& ended, bool as_json) {
  const FilterCounts& counts = ended.counts;
  if (as_json) {
    const Json json = SummaryJson(flags, ended);
    std::fprintf(stderr, "%s\n", PrintableJson(json.dump(-1, ' ', false, Json::error_handler_t::replace)).c_str());
    return;
  }
  const std::string why = WhyItEnded(ended.end, flags.in_shadow);
  if (!why.empty()) std::fprintf(stderr, "consentctl: %s\n", why.c_str());
  const auto line = [](const char* what, uint64_t count) {
    std::fprintf(stderr, "%-12s %llu\n", what, static_cast<unsigned long long>(count));
  };
  line("lines", counts.lines);
  line("eligible", counts.eligible);
  line("refused", counts.refused);
  for (const auto& [reason, count] : counts.refused_by_reason) {
    std::fprintf(stderr, "  %-24s %llu\n", reason.c_str(), static_cast<unsigned long long>(count));
  }
  std::fputs(MissingFactsText(counts).c_str(), stderr);
  line("to purge", counts.to_purge);
  line("unreadable", counts.unreadable);
  if (counts.unanswered > 0) line("unanswered", counts.unanswered);
  if (flags.advise) std::fputs(AdviceText(ended.advice).c_str(), stderr);
  for (const std::string& hint : HintsOf(counts)) std::fprintf(stderr, "consentctl: %s\n", hint.c_str());
}

absl::StatusOr<LineDefaults> Defaults(const FilterFlags& flags) {
  std::vector<std::pair<std::string, std::string>> settings;
  if (!flags.country.empty()) settings.emplace_back("country", flags.country);
  if (!flags.site.empty()) settings.emplace_back("site", flags.site);
  if (flags.reviewer != ReviewerClass::kUnset) settings.emplace_back("reviewer", std::string(Name(flags.reviewer)));
  for (const std::string& text : flags.set) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) return absl::InvalidArgumentError("must be KEY=VALUE, such as wake=BUTTON");
    settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return LineDefaults::Create(settings);
}

int RunFilter(const Cli& cli, const FilterFlags& flags) {
  const StopRequest stop(kLinesPatience, StopRequest::AtOnce::kEndsProcess);
  if (!stop.status().ok()) return FileError(stop.status());
  const absl::StatusOr<Descriptor> input = OpenInput(flags.input);
  if (!input.ok()) return FileError(input.status());
  absl::StatusOr<LineFile> refused = LineFile::Open(flags.refused_path);
  if (!refused.ok()) return FileError(refused.status());
  absl::StatusOr<LineFile> purge = LineFile::Open(flags.purge_path);
  if (!purge.ok()) return FileError(purge.status());
  const absl::Status distinct = CheckDistinct({{"the input", input->get()},
                                               {"standard output", STDOUT_FILENO},
                                               {"--refused", refused->descriptor()},
                                               {"--purge", purge->descriptor()}});
  if (!distinct.ok()) return FileError(distinct);
  return cli.WithClient([&](Client& client) {
    // Only once nothing is wrong with the command line: what the files held is lost by it.
    if (absl::Status free = MayReplace("--refused", *refused, flags.force); !free.ok()) return FileError(free);
    if (absl::Status free = MayReplace("--purge", *purge, flags.force); !free.ok()) return FileError(free);
    for (LineFile* file : {&*refused, &*purge}) {
      if (absl::Status emptied = file->KeepFirst(0); !emptied.ok()) return FileError(emptied);
    }
    if (flags.shadow_until.has_value() && !cli.json) {
      std::fputs(ShadowBeginsText(*flags.shadow_until, flags.in_shadow).c_str(), stderr);
    }
    const Pseudonyms pseudonyms(*Random::System());
    Outputs outputs(*std::move(refused), *std::move(purge), SizeOf(input->get()), cli.json, flags.in_shadow);
    ShadowPass pass(flags.shadow_until.value_or(Time{}), flags.now, Clock::System(),
                    [](std::string_view bytes) { return WriteAll(STDOUT_FILENO, bytes); });
    RecordingLineReader::Copy copy;
    if (flags.in_shadow) copy = [&pass](std::string_view bytes) { return pass.Take(bytes); };
    RecordingLineReader reader(input->get(), flags.defaults, stop.sign(), std::move(copy));
    Filter filter(flags.settings, client, pseudonyms, outputs);
    const FilterEnd end = filter.Run(reader);
    Ended ended{end, filter.counts(), filter.advice(), outputs.problems()};
    if (flags.in_shadow && end.how == FilterEnd::How::kDaemonFailed) PassTheRest(&reader, &ended.counts, &ended.end);
    if (pass.is_over()) ended.end = {FilterEnd::How::kShadowOver, absl::OkStatus(), 0};
    outputs.bar().Clear();
    // Whoever read standard output went away, as `head -1` does: it has what it wanted.
    if (outputs.reader_is_gone()) return static_cast<int>(kFiles);
    PrintSummary(flags, ended, cli.json);
    if (flags.in_shadow && !cli.json) std::fputs(ShadowEndsText(ended.counts).c_str(), stderr);
    return CodeOf(ended, flags.in_shadow);
  });
}

// What helps to begin in a pipeline that runs.
void AddAdoption(CLI::App* app, FilterFlags* flags) {
  app->add_flag("--advise", flags->advise,
                "Say at the end with which missing facts how many more recordings would be eligible at most");
  AddTime(
      app, "--shadow-until", &flags->shadow_until,
      "Shadow mode: until then pass every line through as it came, and only count what would have been left out; "
      "ends with 32. From then on it enforces. At most 31 days ahead; with --keep-ids, so that what comes out stays "
      "the same",
      TimeForm::kFirst);
}

// Usage errors of shadow mode; decides whether it is on.
void BeginShadow(FilterFlags* flags) {
  if (!flags->shadow_until.has_value()) return;
  flags->now = SystemTime();
  const absl::StatusOr<bool> is_on = IsInShadow(*flags->shadow_until, flags->now, flags->settings.keep_ids);
  if (!is_on.ok()) throw CLI::ValidationError("--shadow-until", std::string(is_on.status().message()));
  flags->in_shadow = *is_on;
}

}  // namespace

void AddFilter(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand("filter",
                                        "Read recordings as JSON lines and write those that may be used, in their "
                                        "order, to standard output: without account, "
                                        "profiles, device and times, but with a pseudonym that differs per recording "
                                        "and per run. recording_id is kept because the "
                                        "audio is fetched by it, so it should not tell who spoke. A summary goes to "
                                        "standard error, with --json as one object. "
                                        "A line that cannot be read or has no answer is never let through.");
  auto flags = std::make_shared<FilterFlags>();
  NotEmpty(app->add_option("input", flags->input, "A file; - or nothing for standard input"));
  AddName(app, "--purpose", &flags->settings.purpose, "What the recordings would be used for")->required();
  AddRegion(app, "--country", &flags->country, false, "Where, for lines that do not say: RO");
  AddText(app, "--site", &flags->site, 0, base::kMaxNameBytes, "At which site, for lines that do not say");
  AddName(app, "--reviewer", &flags->reviewer, "Who would listen, for lines that do not say");
  AddSelection(app, &flags->settings.selection);
  app->add_option(
         "--set", flags->set,
         "KEY=VALUE for lines that lack the key: region, wake, kind, speakers, identity, age, captured_at, …; several "
         "times. Never replaces what a line says.")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  app->add_flag("--keep-ids", flags->settings.keep_ids, "Write the eligible lines as they came, ids included");
  NotEmpty(app->add_option("--refused", flags->refused_path, "Write the others here, with every reason"))
      ->type_name("FILE");
  NotEmpty(app->add_option("--purge", flags->purge_path, "Write those that must be purged here, with every reason"))
      ->type_name("FILE");
  AddForce(app, &flags->force, "--refused and --purge");
  AddAdoption(app, flags.get());
  AddNumber(app, "--batch", &flags->settings.batch, 1, kMaxBatch, "Lines in one call, 1 to 1000 (default 500)");
  AddNumber(app, "--parallel", &flags->settings.parallel, 1, 64, "Calls at the same time, 1 to 64 (default 4)");
  app->callback([&cli, flags] {
    absl::StatusOr<LineDefaults> defaults = Defaults(*flags);
    if (!defaults.ok()) throw CLI::ValidationError("--set", std::string(defaults.status().message()));
    flags->defaults = *std::move(defaults);
    BeginShadow(flags.get());
    cli.action = [&cli, flags] { return RunFilter(cli, *flags); };
  });
}

}  // namespace consent::cli
