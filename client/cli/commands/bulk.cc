#include "client/cli/commands/bulk.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "client/cli/engines/bulk_progress.h"
#include "client/cli/engines/call_gate.h"
#include "client/cli/engines/stop_request.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/input_file.h"
#include "client/cli/printable.h"
#include "client/cli/render/render.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

// Writes the report, and says on standard error what does not count.
class BulkReport final : public BulkSink {
 public:
  BulkReport(LineFile report, uint64_t report_bytes, uint64_t total_bytes, int passes, bool visible)
      : report_(std::move(report)),
        report_bytes_(report_bytes),
        bar_(total_bytes * static_cast<uint64_t>(passes), visible),
        total_bytes_(total_bytes) {}

  absl::Status Line(const BulkResult& result) override {
    for (const BulkPart& part : result.problems) Say(result.line, part.part + ": " + part.reason + ": " + part.message);
    if (!report_.IsOpen()) return absl::OkStatus();
    const std::string line = Text(result);
    report_bytes_ += line.size();
    return report_.Write(line);
  }

  uint64_t report_bytes() const override { return report_bytes_; }

  void Progress(int pass, uint64_t line, uint64_t bytes) override {
    bar_.Show(bytes + (pass == 2 ? total_bytes_ : 0), "line " + std::to_string(line));
  }

  ProgressBar& bar() { return bar_; }

 private:
  static std::string Text(const BulkResult& result) {
    const BulkPart* first = result.problems.empty() ? nullptr : &result.problems.front();
    Json json = {{"line", result.line},
                 {"outcome", OutcomeName(result)},
                 {"code", first == nullptr ? "OK" : absl::StatusCodeToString(first->code)},
                 {"reason", first == nullptr ? "" : first->reason},
                 {"message", first == nullptr ? "" : first->message}};
    if (result.already) json["already"] = true;
    if (result.account_closed) json["account_closed"] = true;
    if (result.unreached) json["unreached"] = true;
    if (first != nullptr) {
      json["parts"] = Json::array();
      for (const BulkPart& part : result.problems) {
        json["parts"].push_back({{"part", part.part},
                                 {"code", absl::StatusCodeToString(part.code)},
                                 {"reason", part.reason},
                                 {"message", part.message}});
      }
    }
    return PrintableJson(json.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
  }

  void Say(uint64_t number, const std::string& what) {
    if (++printed_ > kMostPrinted) return;
    bar_.Say("line " + std::to_string(number) + ": " + what);
    if (printed_ == kMostPrinted) std::fprintf(stderr, "further problems are only counted, and written to --report\n");
  }

  LineFile report_;
  uint64_t report_bytes_;
  ProgressBar bar_;
  const uint64_t total_bytes_;
  uint64_t printed_ = 0;
};

std::string WhyItEnded(const BulkEnd& end) {
  switch (end.how) {
    case BulkEnd::How::kComplete:
      return "";
    case BulkEnd::How::kInputFailed:
      return "the input cannot be read: " + std::string(end.status.message());
    case BulkEnd::How::kOutputFailed:
      return ErrorText(end.status);
    case BulkEnd::How::kStopped:
      return "stopped before line " + std::to_string(end.line) +
             ". Run the same command again to go on, within 72 hours";
    case BulkEnd::How::kDaemonFailed:
      break;
  }
  return "stopped at line " + std::to_string(end.line) + ". Run the same command again to go on, within 72 hours. " +
         ErrorText(end.status);
}

int CodeOf(const BulkEnd& end, const BulkCounts& counts) {
  if (end.how == BulkEnd::How::kStopped) return kStopped;
  if (end.how == BulkEnd::How::kDaemonFailed) {
    return CallGate::ComesAgain(end.status) ? kNoAnswer : CodeFor(end.status);
  }
  if (end.how != BulkEnd::How::kComplete) return kFiles;
  if (counts.unreadable > 0) return kUnreadable;
  return counts.refused + counts.partly > 0 ? kNotAllCounted : kDone;
}

int PrintSummary(const BulkEnd& end, const BulkCounts& counts, size_t pauses, const OutputForm& form) {
  const std::string why = WhyItEnded(end);
  if (!why.empty()) std::fprintf(stderr, "consentctl: %s\n", why.c_str());
  Report report;
  report.json = {
      {"lines", counts.lines},           {"done", counts.done}, {"partly", counts.partly}, {"refused", counts.refused},
      {"unreadable", counts.unreadable}, {"pauses", pauses},    {"complete", why.empty()}, {"error", why}};
  Table table("file", {"LINES", "DONE", "PARTLY", "REFUSED", "UNREADABLE", "COMPLETE"});
  table.Add({std::to_string(counts.lines), std::to_string(counts.done), std::to_string(counts.partly),
             std::to_string(counts.refused), std::to_string(counts.unreadable), YesNo(why.empty())});
  report.tables = {table};
  return Print(report, form, CodeOf(end, counts));
}

// Where progress is kept when nobody says it.
std::string ProgressPath(const BulkFlags& flags) {
  return flags.progress.empty() ? flags.file + ".progress" : flags.progress;
}

// Cuts off what the report holds beyond what was reached. FailedPrecondition: it holds less.
absl::Status GoOnWith(LineFile* report, const BulkProgress& progress, bool force) {
  if (progress.report_bytes() == 0 && progress.Reached(1) == 0) {
    if (absl::Status free = MayReplace("--report", *report, force); !free.ok()) return free;
  }
  if (report->IsOpen() && SizeOf(report->descriptor()) < progress.report_bytes()) {
    return absl::FailedPreconditionError(
        "the report holds less than the progress file says: give the report of the run that goes on, or none");
  }
  return report->KeepFirst(progress.report_bytes());
}

int Send(const Cli& cli, Client& client, const BulkFlags& flags, BulkJob job, const Json& order, int input) {
  const absl::StatusOr<StoredPolicy> current = client.GetPolicy("");
  if (!current.ok()) return PrintError(current.status(), cli.json);
  const BulkProgress::Of of{base::Hex(base::View(base::Blake2b(order.dump()))), job.input_hash,
                            base::Hex(current->store_id)};
  absl::StatusOr<LineFile> report = LineFile::Open(flags.report);
  if (!report.ok()) return FileError(report.status());
  const absl::Status distinct =
      CheckDistinct({{"the input", input}, {"standard output", STDOUT_FILENO}, {"--report", report->descriptor()}});
  if (!distinct.ok()) return FileError(distinct);
  absl::StatusOr<BulkProgress> progress = BulkProgress::Open(ProgressPath(flags), of, *Random::System());
  if (!progress.ok()) return FileError(progress.status());
  if (progress->complete()) {
    std::fprintf(stderr,
                 "consentctl: this file was sent whole before, and nothing of it is sent again. To send it once more, "
                 "take away %s or name another one with --progress\n",
                 Printable(ProgressPath(flags)).c_str());
    return PrintSummary({}, progress->counts(), 0, cli);
  }
  if (absl::Status status = GoOnWith(&*report, *progress, flags.force); !status.ok()) return FileError(status);
  const std::shared_ptr<Clock> clock = Clock::System();
  CallGate gate(flags.parallel, *clock);
  BulkReport sink(*std::move(report), progress->report_bytes(), SizeOf(input), job.has_yeses ? 2 : 1, !cli.json);
  Bulk bulk(client, gate, *progress, sink, std::move(job));
  const BulkEnd end = bulk.Run(input);
  sink.bar().Clear();
  return PrintSummary(end, bulk.counts(), gate.pauses(), cli);
}

}  // namespace

void AddBulk(CLI::App* app, BulkFlags* flags, const std::string& each_line) {
  const char* const group = "From a file";
  NotEmpty(app->add_option("--file", flags->file,
                           "A file, or - for standard input, with one JSON object per line: " + each_line +
                               " (see client/cli/README.md)"))
      ->type_name("FILE")
      ->group(group);
  NotEmpty(app->add_option("--report", flags->report,
                           "Write here what became of each line, as JSON lines: its number, outcome, code and reason"))
      ->type_name("FILE")
      ->group(group);
  NotEmpty(app->add_option("--progress", flags->progress,
                           "Keep here how far it has come (default: the file's name with .progress behind it); run "
                           "again with the same file to go on"))
      ->type_name("FILE")
      ->group(group);
  AddForce(app, &flags->force, "--report")->group(group);
  AddNumber(app, "--parallel", &flags->parallel, 1, 256, "Calls at the same time, 1 to 256 (default 32)")->group(group);
}

bool TakesFile(const CLI::App* app, const BulkFlags& flags, const CLI::Option* account,
               const std::vector<std::string>& not_with_file) {
  if (flags.file.empty()) {
    for (const char* option : {"--report", "--progress", "--parallel", "--force"}) {
      if (app->count(option) != 0) throw CLI::ValidationError(option, "belongs to --file");
    }
    if (account->count() == 0) throw CLI::RequiredError("account");
    return false;
  }
  if (account->count() != 0) throw CLI::ValidationError("account", "is given by the lines of --file; give one of both");
  for (const std::string& option : not_with_file) {
    if (app->count(option) != 0) throw CLI::ValidationError(option, "is said by the lines of --file");
  }
  if (flags.file == "-" && flags.progress.empty()) {
    throw CLI::ValidationError("--file", "from standard input needs --progress: where to keep how far it has come");
  }
  if (!flags.report.empty() && flags.report == ProgressPath(flags)) {
    throw CLI::ValidationError("--report", "is the file of --progress, too; name another one");
  }
  return true;
}

int RunBulk(const Cli& cli, const BulkFlags& flags, BulkJob job, const Json& order) {
  const StopRequest stop(kLinesPatience, StopRequest::AtOnce::kEndsProcess);
  if (!stop.status().ok()) return FileError(stop.status());
  absl::StatusOr<Descriptor> opened = OpenInput(flags.file);
  if (!opened.ok()) return FileError(opened.status());
  const absl::StatusOr<Descriptor> input = Rereadable(*std::move(opened));
  if (!input.ok()) return FileError(input.status());
  absl::StatusOr<std::string> hash = HashOfInput(input->get());
  if (!hash.ok()) return FileError(hash.status());
  job.input_hash = *std::move(hash);
  job.parallel = flags.parallel;
  job.stop = stop.sign();
  return cli.WithClient([&](Client& client) { return Send(cli, client, flags, std::move(job), order, input->get()); });
}

}  // namespace consent::cli
