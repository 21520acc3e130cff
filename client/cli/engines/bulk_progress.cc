#include "client/cli/engines/bulk_progress.h"

#include <sys/file.h>

#include <optional>
#include <utility>

#include "client/cli/input_file.h"
#include "client/cli/output.h"
#include "client/lines/json_fields.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

constexpr char kProgressMarker[] = "consentctl_bulk";

absl::Status NoProgressFile() {
  return absl::FailedPreconditionError("the progress file is damaged or none; name another one, or take it away");
}

absl::Status Mismatch(const std::string& what) {
  return absl::FailedPreconditionError("the progress file is of another " + what +
                                       "; name another one with --progress. It is left as it is");
}

}  // namespace

absl::Status BulkProgress::LoadReached(const nlohmann::json& line) {
  Fields fields(line);
  const auto number = [&fields](const char* key) {
    std::optional<int64_t> value;
    fields.Require({key});
    fields.ReadInteger(key, 0, INT64_MAX, &value);
    return static_cast<uint64_t>(value.value_or(0));
  };
  fields.AllowOnly({"pass", "line", "lines", "done", "partly", "refused", "unreadable", "report_bytes", "complete"});
  fields.ReadBool("complete", &complete_);
  if (complete_) return fields.status();
  const uint64_t pass = number("pass");
  const uint64_t reached = number("line");
  const BulkCounts counts{number("lines"), number("done"), number("partly"), number("refused"), number("unreadable")};
  const uint64_t report_bytes = number("report_bytes");
  if (pass != 1 && pass != 2) fields.Fail("pass", "must be 1 or 2");
  if (!fields.status().ok()) return fields.status();
  reached_[pass - 1] = reached;
  counts_ = counts;
  report_bytes_ = report_bytes;
  return absl::OkStatus();
}

absl::Status BulkProgress::Load(std::string_view text, const Of& of) {
  bool is_head = true;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const absl::StatusOr<nlohmann::json> line = ParseObject(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (!line.ok()) return NoProgressFile();
    if (!is_head) {
      if (!LoadReached(*line).ok()) return NoProgressFile();
      continue;
    }
    is_head = false;
    Fields fields(*line);
    std::string order;
    std::string input;
    std::string store;
    std::optional<int64_t> format;
    fields.AllowOnly({kProgressMarker, "order", "input", "store", "run"});
    fields.Require({kProgressMarker, "order", "input", "store", "run"});
    fields.ReadInteger(kProgressMarker, 1, 1, &format);
    fields.ReadText("order", kMaxLineBytes, &order);
    fields.ReadText("input", 64, &input);
    fields.ReadText("store", 64, &store);
    fields.ReadText("run", 64, &run_);
    if (!fields.status().ok()) return NoProgressFile();
    if (order != of.order) return Mismatch("command line");
    if (input != of.input_hash) return Mismatch("input");
    if (store != of.store) return Mismatch("store: what one has taken, another has not");
  }
  return absl::OkStatus();
}

absl::StatusOr<BulkProgress> BulkProgress::Open(const std::string& path, const Of& of, Random& random) {
  BulkProgress progress;
  absl::StatusOr<LineFile> file = LineFile::Open(path);
  if (!file.ok()) return file.status();
  progress.file_ = *std::move(file);
  if (::flock(progress.file_.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError("the progress file is in use: the same command is running already");
  }
  const absl::StatusOr<std::string> text = ReadStateFile(path, "the progress file");
  if (!text.ok()) return text.status();
  // A torn last line counts as not written; of a head that is torn nothing was sent.
  const uint64_t whole = text->rfind('\n') + 1;
  if (whole == 0 && !text->empty() && text->rfind("{\"" + std::string(kProgressMarker), 0) != 0)
    return NoProgressFile();
  if (absl::Status loaded = progress.Load(std::string_view(*text).substr(0, whole), of); !loaded.ok()) return loaded;
  if (absl::Status cut = progress.file_.KeepFirst(whole); !cut.ok()) return cut;
  if (whole != 0) return progress;
  std::string drawn(16, '\0');
  random.Fill(drawn.data(), drawn.size());
  progress.run_ = base::Hex(drawn);
  const Json head = {
      {kProgressMarker, 1}, {"order", of.order}, {"input", of.input_hash}, {"store", of.store}, {"run", progress.run_}};
  if (absl::Status written = progress.file_.Write(head.dump() + "\n"); !written.ok()) return written;
  return progress;
}

absl::Status BulkProgress::Save(int pass, uint64_t line, const BulkCounts& counts, uint64_t report_bytes) {
  reached_[pass == 1 ? 0 : 1] = line;
  counts_ = counts;
  report_bytes_ = report_bytes;
  const Json json = {{"pass", pass},
                     {"line", line},
                     {"lines", counts.lines},
                     {"done", counts.done},
                     {"partly", counts.partly},
                     {"refused", counts.refused},
                     {"unreadable", counts.unreadable},
                     {"report_bytes", report_bytes}};
  return file_.Write(json.dump() + "\n");
}

absl::Status BulkProgress::Complete() {
  complete_ = true;
  return file_.Write(Json{{"complete", true}}.dump() + "\n");
}

}  // namespace consent::cli
