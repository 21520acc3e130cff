#include "consent/recording_lines.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "client/lines/json_fields.h"
#include "client/lines/line_reader.h"
#include "consent/names.h"
#include "daemon/base/bounds.h"
#include "daemon/base/nearest_name.h"
#include "daemon/base/utf8.h"

namespace consent {

struct LineDefaults::Values {
  nlohmann::json of_key = nlohmann::json::object();
};

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 19> kKeys = {
    "recording_id", "account_id",  "captured_at", "captured_uncertainty_ms",
    "ingested_at",  "profile_ids", "device_id",   "region",
    "wake",         "kind",        "speakers",    "identity",
    "age",          "artefact",    "made_for",    "flags",
    "country",      "site",        "reviewer"};
// Keys that data sets commonly have, and that mean none of these: `speaker` is who spoke, and leaving out `speakers` is
// a missing fact and safe; the others are near to `site`, `age` and `wake`.
constexpr std::array<std::string_view, 5> kOtherKeys = {"speaker", "size", "side", "page", "wave"};
// Whose recording it is, and which: never filled in.
constexpr std::array<std::string_view, 4> kIdKeys = {"recording_id", "account_id", "profile_ids", "device_id"};

template <typename List>
bool Holds(const List& list, std::string_view key) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

// Lower case, letters and digits only, no plural.
std::string Simplified(std::string_view key) {
  std::string simple;
  for (const char c : key) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      simple += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (!simple.empty() && simple.back() == 's') simple.pop_back();
  return simple;
}

// The key that is the same but for capitals, plural and what stands between words, or one that people write for it.
std::optional<std::string_view> SameKey(std::string_view name) {
  std::string simple = Simplified(name);
  if (simple == "reviewerclas") simple = "reviewer";
  if (simple == "artifact") simple = "artefact";
  const auto* const same =
      std::find_if(kKeys.begin(), kKeys.end(), [&simple](std::string_view key) { return simple == Simplified(key); });
  if (same == kKeys.end()) return std::nullopt;
  return *same;
}

bool Says(const json& object, std::string_view key) {
  const auto found = object.find(std::string(key));
  return found != object.end() && !found->is_null();
}

// A key that was meant but misspelt must not be passed over: a flag that is not read lets a recording through, and a
// fact that is not read refuses it without a word why. A key that is there in its right form was not meant by another,
// save for flags, of which each counts.
absl::Status CheckLookalikes(const json& object) {
  for (const auto& [name, value] : object.items()) {
    if (Holds(kKeys, name) || Holds(kOtherKeys, name)) continue;
    std::optional<std::string_view> meant = SameKey(name);
    if (!meant.has_value()) {
      meant = base::NearestName(name, kKeys);
      if (!meant.has_value() || (*meant != "flags" && Says(object, *meant))) continue;
    }
    return absl::InvalidArgumentError("a key reads like `" + std::string(*meant) +
                                      "` but is written otherwise; write it so, or give it another name");
  }
  return absl::OkStatus();
}

absl::StatusOr<RecordingLine> ReadRecording(const json& object) {
  RecordingLine line;
  Recording& recording = line.recording;
  Fields fields(object);
  fields.ReadId("recording_id", &recording.recording_id);
  fields.ReadId("account_id", &recording.account_id);
  fields.ReadTime("captured_at", &recording.captured_at);
  std::optional<int64_t> uncertainty;
  fields.ReadInteger("captured_uncertainty_ms", 0, base::kMaxUncertaintyMs, &uncertainty);
  if (uncertainty.has_value()) recording.captured_uncertainty = std::chrono::milliseconds(*uncertainty);
  fields.ReadTime("ingested_at", &recording.ingested_at);
  fields.ReadIds("profile_ids", base::kMaxNamedProfiles, &recording.profile_ids);
  fields.ReadId("device_id", &recording.device_id);
  fields.ReadRegion("region", &recording.region);
  fields.ReadName("wake", &recording.wake);
  fields.ReadName("kind", &recording.kind);
  fields.ReadName("speakers", &recording.speakers);
  fields.ReadName("identity", &recording.identity);
  fields.ReadName("age", &recording.age);
  fields.ReadName("artefact", &recording.artefact);
  fields.ReadName("made_for", &recording.made_for);
  fields.ReadNames("flags", base::kMaxNamedFlags, &recording.flags);
  fields.ReadCountry("country", &line.place.country);
  fields.ReadText("site", base::kMaxNameBytes, &line.place.site);
  fields.ReadName("reviewer", &line.place.reviewer);
  if (!fields.status().ok()) return fields.status();
  return line;
}

// The JSON value that `text` on a command line stands for.
absl::StatusOr<json> DefaultValue(const std::string& key, const std::string& text) {
  if (!base::IsUtf8(text)) return absl::InvalidArgumentError("`" + key + "`: must be UTF-8");
  if (key == "flags") {
    json list = json::array();
    for (size_t at = 0; at <= text.size();) {
      const size_t comma = std::min(text.find(',', at), text.size());
      list.push_back(text.substr(at, comma - at));
      at = comma + 1;
    }
    return list;
  }
  if (key != "captured_uncertainty_ms") return json(text);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return absl::InvalidArgumentError("`captured_uncertainty_ms`: must be a whole number of milliseconds");
  }
  return json(number);
}

}  // namespace

LineDefaults::LineDefaults() : values_(std::make_shared<const Values>()) {}

absl::StatusOr<LineDefaults> LineDefaults::Create(const std::vector<std::pair<std::string, std::string>>& settings) {
  Values values;
  for (const auto& [key, text] : settings) {
    if (Holds(kIdKeys, key)) {
      return absl::InvalidArgumentError("`" + key + "` says whose recording it is and must come from each line itself");
    }
    if (!Holds(kKeys, key)) {
      std::optional<std::string_view> meant = SameKey(key);
      if (!meant.has_value()) meant = base::NearestName(key, kKeys);
      return absl::InvalidArgumentError(
          "`" + key + "` is no key of a line" +
          (meant.has_value() && !Holds(kIdKeys, *meant) ? "; did you mean " + std::string(*meant) + "? It" : "; it") +
          " can be captured_at, captured_uncertainty_ms, ingested_at, "
          "region, wake, kind, speakers, identity, age, artefact, made_for, flags, country, "
          "site or reviewer");
    }
    if (values.of_key.contains(key)) return absl::InvalidArgumentError("`" + key + "` is given twice");
    absl::StatusOr<json> value = DefaultValue(key, text);
    if (!value.ok()) return value.status();
    values.of_key[key] = *std::move(value);
  }
  if (const auto read = ReadRecording(values.of_key); !read.ok()) return read.status();
  LineDefaults defaults;
  defaults.values_ = std::make_shared<const Values>(std::move(values));
  return defaults;
}

// Gives a line what it lacks.
class LineDefaultsAccess {
 public:
  static void Fill(const LineDefaults& defaults, json* object) {
    for (const auto& [key, value] : defaults.values_->of_key.items()) {
      json& own = (*object)[key];
      if (own.is_null()) own = value;
    }
  }
};

absl::StatusOr<RecordingLine> ParseRecordingLine(std::string_view line, const LineDefaults& defaults) {
  absl::StatusOr<json> object = ParseObject(line);
  if (!object.ok()) return object.status();
  if (absl::Status lookalikes = CheckLookalikes(*object); !lookalikes.ok()) return lookalikes;
  Fields ids(*object);
  ids.Require({"recording_id", "account_id"});
  if (!ids.status().ok()) return ids.status();
  LineDefaultsAccess::Fill(defaults, &*object);
  return ReadRecording(*object);
}

std::string AnonymousLine(const Recording& recording, std::string_view pseudonym) {
  nlohmann::ordered_json line;
  line["recording_id"] = recording.recording_id.value();
  line["pseudonym"] = pseudonym;
  const auto add = [&line](const char* key, auto value) {
    if (static_cast<int>(value) != 0) line[key] = Name(value);
  };
  if (!recording.region.empty()) line["region"] = recording.region.substr(0, 2);
  add("wake", recording.wake);
  add("kind", recording.kind);
  add("speakers", recording.speakers);
  add("artefact", recording.artefact);
  add("made_for", recording.made_for);
  return line.dump();
}

struct RecordingLineReader::State {
  State(int descriptor, LineDefaults given, StopSign stop, Copy copy)
      : reader(descriptor, kMaxLineBytes, stop, std::move(copy)), defaults(std::move(given)) {}

  LineReader reader;
  const LineDefaults defaults;
  std::string text;
  RecordingLine line;
  absl::Status problem;
};

RecordingLineReader::RecordingLineReader(int descriptor, LineDefaults defaults, StopSign stop, Copy copy)
    : state_(std::make_unique<State>(descriptor, std::move(defaults), stop, std::move(copy))) {}

RecordingLineReader::~RecordingLineReader() = default;

RecordingLineReader::Result RecordingLineReader::Next(std::chrono::milliseconds idle) {
  State& state = *state_;
  for (;;) {
    const LineReader::Result result = state.reader.Next(&state.text, idle);
    state.line = {};
    state.problem = absl::OkStatus();
    switch (result) {
      case LineReader::Result::kIdle:
        return Result::kIdle;
      case LineReader::Result::kEnd:
        return Result::kEnd;
      case LineReader::Result::kError:
        return Result::kError;
      case LineReader::Result::kStopped:
        return Result::kStopped;
      case LineReader::Result::kCopyFailed:
        return Result::kCopyFailed;
      case LineReader::Result::kTooLong:
        state.problem =
            absl::InvalidArgumentError("the line is longer than " + std::to_string(kMaxLineBytes) + " bytes");
        return Result::kProblem;
      case LineReader::Result::kLine:
        break;
    }
    if (state.text.find_first_not_of(" \t") == std::string::npos) continue;
    absl::StatusOr<RecordingLine> read = ParseRecordingLine(state.text, state.defaults);
    if (!read.ok()) {
      state.problem = read.status();
      return Result::kProblem;
    }
    state.line = *std::move(read);
    return Result::kRecording;
  }
}

uint64_t RecordingLineReader::number() const { return state_->reader.number(); }
const std::string& RecordingLineReader::text() const { return state_->text; }
const RecordingLine& RecordingLineReader::line() const { return state_->line; }
const absl::Status& RecordingLineReader::problem() const { return state_->problem; }
uint64_t RecordingLineReader::bytes() const { return state_->reader.bytes(); }

}  // namespace consent
