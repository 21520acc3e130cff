#include "client/cli/engines/sweep_state.h"

#include <array>
#include <optional>
#include <utility>

#include "client/cli/input_file.h"
#include "client/cli/output.h"
#include "client/lines/json_fields.h"

namespace consent::cli {
namespace {

constexpr char kSweepMarker[] = "consentctl_sweep";

struct NamedOutcome {
  SweptAs how;
  const char* name;
  int64_t SweepCounts::*count;
};
constexpr std::array<NamedOutcome, 5> kOutcomes = {{{SweptAs::kKept, "kept", &SweepCounts::kept},
                                                    {SweptAs::kHeld, "held", &SweepCounts::held},
                                                    {SweptAs::kPurged, "purged", &SweepCounts::purged},
                                                    {SweptAs::kNotFound, "not_found", &SweepCounts::not_found},
                                                    {SweptAs::kUnanswered, "unanswered", &SweepCounts::unanswered}}};

absl::Status DamagedState() {
  return absl::FailedPreconditionError(
      "the state file is damaged or not one of `consentctl sweep`; name another one with --state. It is left as it is");
}

// True of what a first write that was cut short leaves. Any other text without a line's end is somebody else's file.
bool IsTornSweepHead(std::string_view text) {
  const std::string begin = "{\"" + std::string(kSweepMarker) + "\":1,";
  return text.substr(0, begin.size()) == std::string_view(begin).substr(0, text.size());
}

// The lines of a list of numbers from 1.
absl::StatusOr<std::vector<uint64_t>> LinesOf(const nlohmann::json& line, const char* key) {
  std::vector<uint64_t> lines;
  const auto at = line.find(key);
  if (at == line.end() || !at->is_array()) return DamagedState();
  for (const nlohmann::json& number : *at) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() == 0) return DamagedState();
    lines.push_back(number.get<uint64_t>());
  }
  return lines;
}

absl::StatusOr<int64_t> NumberOf(const nlohmann::json& line, const char* key) {
  const auto at = line.find(key);
  if (at == line.end() || !at->is_number_unsigned() || at->get<uint64_t>() > uint64_t{INT64_MAX}) return DamagedState();
  return at->get<int64_t>();
}

}  // namespace

SweepCounts SweepState::counts() const {
  SweepCounts counts = counts_;
  counts.failed = static_cast<int64_t>(left_.size());
  return counts;
}

bool SweepState::IsOpen(uint64_t line) const {
  return left_.contains(line) || (line > reached_ && !done_.contains(line));
}

void SweepState::Count(const std::vector<uint64_t>& lines, SweptAs how) {
  for (const NamedOutcome& outcome : kOutcomes) {
    if (outcome.how == how) counts_.*outcome.count += static_cast<int64_t>(lines.size());
  }
  for (const uint64_t line : lines) {
    left_.erase(line);
    if (line > reached_) done_.insert(line);
  }
}

absl::Status SweepState::LoadHead(const nlohmann::json& line, const SweepOf& of) {
  Fields fields(line);
  std::optional<int64_t> version;
  SweepOf read;
  fields.Require({kSweepMarker, "input", "system", "registered_at", "started_at"});
  fields.ReadInteger(kSweepMarker, 1, 1, &version);
  fields.ReadText("input", kMaxLineBytes, &read.input_hash);
  fields.ReadText("system", kMaxLineBytes, &read.system);
  fields.ReadText("registered_at", kMaxLineBytes, &read.registered_at);
  fields.ReadText("started_at", kMaxLineBytes, &started_at_);
  if (!fields.status().ok()) return DamagedState();
  is_others_ = read.input_hash != of.input_hash || read.system != of.system || read.registered_at != of.registered_at;
  return absl::OkStatus();
}

absl::Status SweepState::LoadLine(const nlohmann::json& line) {
  if (line.contains("reported")) {
    is_reported_ = true;
    return absl::OkStatus();
  }
  is_reported_ = false;
  if (line.contains("left")) {
    const absl::StatusOr<std::vector<uint64_t>> lines = LinesOf(line, "left");
    if (lines.ok()) left_.insert(lines->begin(), lines->end());
    return lines.status();
  }
  const auto how = line.find("how");
  for (const NamedOutcome& outcome : kOutcomes) {
    if (how == line.end() || *how != outcome.name) continue;
    const absl::StatusOr<std::vector<uint64_t>> lines = LinesOf(line, "done");
    if (lines.ok()) Count(*lines, outcome.how);
    return lines.status();
  }
  const absl::StatusOr<int64_t> reached = NumberOf(line, "line");
  if (!reached.ok()) return reached.status();
  reached_ = static_cast<uint64_t>(*reached);
  done_.clear();
  for (const NamedOutcome& outcome : kOutcomes) {
    const absl::StatusOr<int64_t> count = NumberOf(line, outcome.name);
    if (!count.ok()) return count.status();
    counts_.*outcome.count = *count;
  }
  return absl::OkStatus();
}

absl::Status SweepState::Load(std::string_view text, const SweepOf& of) {
  size_t at = 0;
  for (bool head = true; at < text.size(); head = false) {
    const size_t end = text.find('\n', at);
    const absl::StatusOr<nlohmann::json> line = ParseObject(text.substr(at, end - at));
    at = end + 1;
    if (!line.ok()) return DamagedState();
    if (absl::Status loaded = head ? LoadHead(*line, of) : LoadLine(*line); !loaded.ok()) return loaded;
  }
  return absl::OkStatus();
}

absl::StatusOr<SweepState> SweepState::Open(const std::string& path, const SweepOf& of, const std::string& now) {
  SweepState state;
  state.started_at_ = now;
  if (path.empty()) return state;
  const absl::StatusOr<std::string> text = ReadStateFile(path, "the state file");
  if (!text.ok()) return text.status();
  // A torn last line counts as not written.
  state.whole_ = text->rfind('\n') + 1;
  if (state.whole_ == 0 && !IsTornSweepHead(*text)) return DamagedState();
  if (absl::Status loaded = state.Load(std::string_view(*text).substr(0, state.whole_), of); !loaded.ok()) {
    return loaded;
  }
  if (state.is_others_ && !state.is_reported_) {
    return absl::FailedPreconditionError(
        "the state file tells of a sweep of another inventory or data system that did not come to its end: go on with "
        "that one, or use a new file");
  }
  if (state.is_others_) {
    // That one is over: its file begins anew.
    state = SweepState();
    state.started_at_ = now;
  }
  state.head_ = Json{{kSweepMarker, 1},
                     {"input", of.input_hash},
                     {"system", of.system},
                     {"registered_at", of.registered_at},
                     {"started_at", state.started_at_}}
                    .dump() +
                "\n";
  absl::StatusOr<LineFile> file = LineFile::Open(path);
  if (!file.ok()) return file.status();
  state.file_ = *std::move(file);
  return state;
}

absl::Status SweepState::Begin() {
  if (absl::Status cut = file_.KeepFirst(whole_); !cut.ok()) return cut;
  return whole_ == 0 ? file_.Write(head_) : absl::OkStatus();
}

absl::Status SweepState::Done(const std::vector<uint64_t>& lines, SweptAs how) {
  if (lines.empty()) return absl::OkStatus();
  Count(lines, how);
  for (const NamedOutcome& outcome : kOutcomes) {
    if (outcome.how == how) return file_.Write(Json{{"done", lines}, {"how", outcome.name}}.dump() + "\n");
  }
  return absl::OkStatus();
}

absl::Status SweepState::Left(const std::vector<uint64_t>& lines) {
  if (lines.empty()) return absl::OkStatus();
  left_.insert(lines.begin(), lines.end());
  if (absl::Status written = file_.Write(Json{{"left", lines}}.dump() + "\n"); !written.ok()) return written;
  if (left_.size() <= kMaxLeft) return absl::OkStatus();
  return absl::ResourceExhaustedError("more than " + std::to_string(kMaxLeft) +
                                      " recordings that must go could not be purged: look at the command first");
}

absl::Status SweepState::Reach(uint64_t line, const SweepCounts& more) {
  if (line > reached_) reached_ = line;
  done_.clear();
  Json json = {{"line", reached_}};
  for (const NamedOutcome& outcome : kOutcomes) {
    counts_.*outcome.count += more.*outcome.count;
    json[outcome.name] = counts_.*outcome.count;
  }
  return file_.Write(json.dump() + "\n");
}

absl::Status SweepState::Reported() {
  return left_.empty() ? file_.KeepFirst(0) : file_.Write(Json{{"reported", true}}.dump() + "\n");
}

}  // namespace consent::cli
