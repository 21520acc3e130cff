// consentctl filter.
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/engines/filter_engine.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

struct FilterFlags {
  FilterSettings settings;
  std::string input = "-";
  std::string country;
  std::string site;
  ReviewerClass reviewer = ReviewerClass::kUnset;
  std::vector<std::string> set;
  std::string refused_path;
  std::string purge_path;
  bool force = false;
};

Json RefusedJson(const RefusedLine& line) {
  return {{"line", line.number},
          {"recording_id", line.recording_id.value()},
          {"disposition", Name(line.disposition)},
          {"reasons", line.reasons}};
}

// Standard output, the two files, and standard error.
class Outputs final : public FilterSink {
 public:
  Outputs(LineFile refused, LineFile purge, uint64_t total_bytes, bool as_json)
      : eligible_(STDOUT_FILENO),
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

int CodeOf(const FilterEnd& end, const FilterCounts& counts) {
  switch (end.how) {
    case FilterEnd::How::kInputFailed:
    case FilterEnd::How::kOutputFailed:
      return kFiles;
    case FilterEnd::How::kDaemonFailed:
      return CodeFor(end.status);
    case FilterEnd::How::kStopped:
      return kStopped;
    case FilterEnd::How::kComplete:
      break;
  }
  return counts.unreadable > 0 ? kUnreadable : kDone;
}

std::string WhyItEnded(const FilterEnd& end) {
  switch (end.how) {
    case FilterEnd::How::kComplete:
      return "";
    case FilterEnd::How::kInputFailed:
      return "the input cannot be read: " + std::string(end.status.message());
    case FilterEnd::How::kOutputFailed:
      return ErrorText(end.status);
    case FilterEnd::How::kStopped:
      return "stopped before line " + std::to_string(end.first_unanswered) +
             "; nothing from there on was let through. Go on with the lines from there: `tail -n +" +
             std::to_string(end.first_unanswered) + " FILE | consentctl filter ...`";
    case FilterEnd::How::kDaemonFailed:
      break;
  }
  return "no answer from line " + std::to_string(end.first_unanswered) +
         " on; nothing from there on was let through. " + ErrorText(end.status);
}

// On standard error, because standard output carries the recordings.
void PrintSummary(const FilterCounts& counts, const FilterEnd& end, const Json& problems, bool as_json) {
  const std::string why = WhyItEnded(end);
  if (as_json) {
    Json json = {{"lines", counts.lines},           {"eligible", counts.eligible},
                 {"refused", counts.refused},       {"refused_by_reason", counts.refused_by_reason},
                 {"to_purge", counts.to_purge},     {"unreadable", counts.unreadable},
                 {"unanswered", counts.unanswered}, {"unreadable_lines", problems},
                 {"complete", why.empty()},         {"error", why}};
    if (end.first_unanswered > 0) json["first_unanswered_line"] = end.first_unanswered;
    std::fprintf(stderr, "%s\n", PrintableJson(json.dump(-1, ' ', false, Json::error_handler_t::replace)).c_str());
    return;
  }
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
  line("to purge", counts.to_purge);
  line("unreadable", counts.unreadable);
  if (counts.unanswered > 0) line("unanswered", counts.unanswered);
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
    const Pseudonyms pseudonyms(*Random::System());
    Outputs outputs(*std::move(refused), *std::move(purge), SizeOf(input->get()), cli.json);
    LineReader reader(input->get(), kMaxLineBytes, stop.sign());
    Filter filter(flags.settings, client, pseudonyms, outputs);
    const FilterEnd end = filter.Run(reader);
    outputs.bar().Clear();
    // Whoever read standard output went away, as `head -1` does: it has what it wanted.
    if (outputs.reader_is_gone()) return static_cast<int>(kFiles);
    PrintSummary(filter.counts(), end, outputs.problems(), cli.json);
    return CodeOf(end, filter.counts());
  });
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
  AddNumber(app, "--batch", &flags->settings.batch, 1, kMaxBatch, "Lines in one call, 1 to 1000 (default 500)");
  AddNumber(app, "--parallel", &flags->settings.parallel, 1, 64, "Calls at the same time, 1 to 64 (default 4)");
  app->callback([&cli, flags] {
    absl::StatusOr<LineDefaults> defaults = Defaults(*flags);
    if (!defaults.ok()) throw CLI::ValidationError("--set", std::string(defaults.status().message()));
    flags->settings.defaults = *std::move(defaults);
    flags->settings.all_reasons = !flags->refused_path.empty() || !flags->purge_path.empty();
    cli.action = [&cli, flags] { return RunFilter(cli, *flags); };
  });
}

}  // namespace consent::cli
