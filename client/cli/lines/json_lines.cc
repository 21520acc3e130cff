#include "client/cli/lines/json_lines.h"
#include "daemon/base/utf8.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>

namespace consent {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 19> kKeys = {
    "recording_id", "account_id",  "captured_at", "captured_uncertainty_ms",
    "ingested_at",  "profile_ids", "device_id",   "region",
    "wake",         "kind",        "speakers",    "identity",
    "age",          "artefact",    "made_for",    "flags",
    "country",      "site",        "reviewer"};
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

// A key that was meant but misspelt must not be passed over: a flag that is not read lets a recording through.
absl::Status CheckLookalikes(const json& object) {
  for (const auto& [name, value] : object.items()) {
    // Data sets commonly say who spoke under this name; leaving out `speakers` is a missing fact and safe.
    if (Holds(kKeys, name) || name == "speaker") continue;
    std::string simple = Simplified(name);
    if (simple == "reviewerclas") simple = "reviewer";
    if (simple == "artifact") simple = "artefact";
    for (const std::string_view key : kKeys) {
      if (simple != Simplified(key)) continue;
      return absl::InvalidArgumentError("a key reads like `" + std::string(key) +
                                        "` but is written otherwise; write it so");
    }
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

absl::StatusOr<LineDefaults> LineDefaults::Create(const std::vector<std::pair<std::string, std::string>>& settings) {
  LineDefaults defaults;
  for (const auto& [key, text] : settings) {
    if (Holds(kIdKeys, key)) {
      return absl::InvalidArgumentError("`" + key + "` says whose recording it is and must come from each line itself");
    }
    if (!Holds(kKeys, key)) {
      return absl::InvalidArgumentError(
          "`" + key +
          "` is no key of a line; it can be captured_at, captured_uncertainty_ms, ingested_at, "
          "region, wake, kind, speakers, identity, age, artefact, made_for, flags, country, "
          "site or reviewer");
    }
    if (defaults.values_.contains(key)) return absl::InvalidArgumentError("`" + key + "` is given twice");
    absl::StatusOr<json> value = DefaultValue(key, text);
    if (!value.ok()) return value.status();
    defaults.values_[key] = *std::move(value);
  }
  if (const auto read = ReadRecording(defaults.values_); !read.ok()) return read.status();
  return defaults;
}

absl::StatusOr<RecordingLine> ParseRecordingLine(std::string_view line, const LineDefaults& defaults) {
  absl::StatusOr<json> object = ParseObject(line);
  if (!object.ok()) return object.status();
  if (absl::Status lookalikes = CheckLookalikes(*object); !lookalikes.ok()) return lookalikes;
  Fields ids(*object);
  ids.Require({"recording_id", "account_id"});
  if (!ids.status().ok()) return ids.status();
  for (const auto& [key, value] : defaults.values().items()) {
    json& own = (*object)[key];
    if (own.is_null()) own = value;
  }
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

}  // namespace consent
