#include "client/lines/json_fields.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "daemon/base/time.h"
#include "daemon/base/utf8.h"
#include "daemon/domain/types.h"

namespace consent {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;

// U+FFFD, which stands for each byte that is not UTF-8.
constexpr char kReplacement[] = "\xEF\xBF\xBD";

// A value that no JSON text has, so that it is none of the types that are asked for: why, and, behind a NUL byte, the
// values of a repeated key.
json Unreadable(std::string_view why, const std::vector<json>& repeated = {}) {
  std::vector<uint8_t> bytes(why.begin(), why.end());
  if (!repeated.empty()) {
    bytes.push_back('\0');
    json::to_cbor(json(repeated), bytes);
  }
  return json::binary(std::move(bytes));
}

// Watches a parse for what the parser itself lets pass, and puts Unreadable in its place.
class Watch {
 public:
  // `repaired`: the text holds replacements. `keeps`: the values of repeated keys.
  Watch(bool repaired, bool keeps) : repaired_(repaired), keeps_(keeps) {}

  void operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth) too_deep_ = true;
    switch (event) {
      case json::parse_event_t::object_start:
        objects_.emplace_back().depth = depth + 1;
        break;
      case json::parse_event_t::key:
        BeginValue(parsed.get<std::string>());
        break;
      case json::parse_event_t::object_end:
        for (const std::string& key : objects_.back().twice) {
          parsed[key] = Unreadable("appears twice; keep the one that is meant", objects_.back().values[key]);
        }
        twice_ = twice_ || !objects_.back().twice.empty();
        objects_.pop_back();
        EndValue(depth, parsed);
        break;
      case json::parse_event_t::array_end:
        EndValue(depth, parsed);
        break;
      case json::parse_event_t::value:
        if (repaired_ && parsed.is_string() &&
            parsed.get_ref<const std::string&>().find(kReplacement) != std::string::npos) {
          parsed = Unreadable("is not UTF-8");
        }
        EndValue(depth, parsed);
        break;
      default:
        break;
    }
  }
  bool too_deep() const { return too_deep_; }
  bool twice() const { return twice_; }

 private:
  struct Object {
    int depth = 0;    // of its values
    std::string key;  // of the one that is read
    std::set<std::string> keys;
    std::set<std::string> twice;
    std::map<std::string, std::vector<json>> values;
  };

  void BeginValue(std::string key) {
    Object& object = objects_.back();
    if (!object.keys.insert(key).second) object.twice.insert(key);
    object.key = std::move(key);
  }

  void EndValue(int depth, const json& value) {
    if (keeps_ && !objects_.empty() && objects_.back().depth == depth) {
      objects_.back().values[objects_.back().key].push_back(value);
    }
  }

  const bool repaired_;
  const bool keeps_;
  std::vector<Object> objects_;
  bool too_deep_ = false;
  bool twice_ = false;
};

std::string_view WithoutEdges(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  constexpr std::string_view kBlanks = " \t\r";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

std::string Repaired(std::string_view text) {
  std::string repaired;
  while (!text.empty()) {
    size_t length = 1;
    while (length <= 4 && length <= text.size() && !base::IsUtf8(text.substr(0, length))) ++length;
    const bool whole = length <= 4 && length <= text.size();
    repaired += whole ? text.substr(0, length) : kReplacement;
    text.remove_prefix(whole ? length : 1);
  }
  return repaired;
}

absl::StatusOr<DamagedObject> Parse(std::string_view line, bool keeps, size_t most_bytes = kMaxLineBytes) {
  if (line.size() > most_bytes) {
    return absl::InvalidArgumentError("the line is longer than " + std::to_string(most_bytes) + " bytes");
  }
  // The parser takes a NUL byte for the end.
  if (line.find('\0') != std::string_view::npos) return absl::InvalidArgumentError("the line holds a NUL byte");
  constexpr char kNoObject[] = "the line must be one JSON object, with no byte before or behind it";
  DamagedObject read;
  const auto note = [&read](bool wrong, const std::string& why) {
    if (wrong && read.fault.ok()) read.fault = absl::InvalidArgumentError(why);
  };
  const std::string_view object = WithoutEdges(line);
  const bool utf8 = base::IsUtf8(object);
  note(object.size() != line.size(), kNoObject);
  note(object.find('\r') != std::string_view::npos, "the line holds a CR that does not end it");
  note(!utf8, "the line is not UTF-8");
  if (object.empty() || object.front() != '{' || object.back() != '}') return absl::InvalidArgumentError(kNoObject);
  Watch watch(!utf8, keeps);
  const auto callback = [&watch](int depth, json::parse_event_t event, json& parsed) {
    watch(depth, event, parsed);
    return true;
  };
  read.object = json::parse(utf8 ? std::string(object) : Repaired(object), callback, /*allow_exceptions=*/false);
  if (read.object.is_discarded()) return absl::InvalidArgumentError("the line is not valid JSON");
  note(watch.too_deep(), "the line is nested deeper than " + std::to_string(kMaxDepth) + " levels");
  note(watch.twice(), "a key appears twice in one object; keep the one that is meant");
  return read;
}

}  // namespace

absl::StatusOr<json> ParseObject(std::string_view line, size_t most_bytes) {
  absl::StatusOr<DamagedObject> read = Parse(line, false, most_bytes);
  if (!read.ok()) return read.status();
  if (!read->fault.ok()) return read->fault;
  return std::move(read->object);
}

absl::StatusOr<DamagedObject> ParseDamagedObject(std::string_view line) { return Parse(line, true); }

std::string WhyUnreadable(const json& value) {
  if (!value.is_binary()) return "";
  const auto& bytes = value.get_binary();
  return {bytes.begin(), std::find(bytes.begin(), bytes.end(), '\0')};
}

std::vector<json> RepeatedValues(const json& value) {
  if (!value.is_binary()) return {};
  const auto& bytes = value.get_binary();
  const auto end = std::find(bytes.begin(), bytes.end(), '\0');
  if (end == bytes.end()) return {};
  return json::from_cbor(end + 1, bytes.end()).get<std::vector<json>>();
}

const json* Fields::Find(const char* key) {
  if (!status_.ok()) return nullptr;
  const auto found = object_.find(key);
  if (found == object_.end() || found->is_null()) return nullptr;
  if (const std::string why = WhyUnreadable(*found); !why.empty()) {
    Fail(key, why);
    return nullptr;
  }
  return &*found;
}

bool Fields::Has(const char* key) { return Find(key) != nullptr; }

void Fields::Fail(const char* key, const std::string& what) {
  if (status_.ok()) status_ = absl::InvalidArgumentError("`" + where_ + key + "`: " + what);
}

void Fields::Take(const absl::Status& status) {
  if (status_.ok()) status_ = status;
}

bool Fields::ReadText(const char* key, size_t least, size_t most, std::string* out) {
  const json* value = Find(key);
  if (value == nullptr) return false;
  if (!value->is_string()) {
    Fail(key, "must be a text");
    return false;
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() < least || text.size() > most) {
    Fail(key, "must have " + std::to_string(least) + " to " + std::to_string(most) +
                  " bytes; leave the key out where there is no value");
    return false;
  }
  *out = text;
  return true;
}

const json& Fields::ReadArray(const char* key, size_t most) {
  static const json kEmpty = json::array();
  const json* value = Find(key);
  if (value == nullptr) return kEmpty;
  if (!value->is_array()) {
    Fail(key, "must be a list");
    return kEmpty;
  }
  if (value->size() > most) {
    Fail(key, "must have at most " + std::to_string(most) + " entries");
    return kEmpty;
  }
  return *value;
}

std::vector<std::string> Fields::ReadTexts(const char* key, size_t most_items, size_t most_bytes) {
  std::vector<std::string> texts;
  for (const json& item : ReadArray(key, most_items)) {
    if (!item.is_string() || item.get_ref<const std::string&>().empty() ||
        item.get_ref<const std::string&>().size() > most_bytes) {
      Fail(key, "each entry must be a text of 1 to " + std::to_string(most_bytes) + " bytes");
      return {};
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

void Fields::ReadRegion(const char* key, std::string* out) {
  domain::Region region;
  std::string text;
  if (!ReadText(key, base::kMaxNameBytes, &text)) return;
  if (!domain::Region::Parse(text, &region)) {
    return Fail(key, "must be a country such as DE, or with a subdivision such as US-CA, in upper case");
  }
  *out = text;
}

void Fields::ReadCountry(const char* key, std::string* out) {
  domain::Region region;
  std::string text;
  if (!ReadText(key, base::kMaxNameBytes, &text)) return;
  if (text.size() != 2 || !domain::Region::Parse(text, &region)) {
    return Fail(key, "must be a country such as DE, in upper case");
  }
  *out = text;
}

void Fields::ReadTime(const char* key, std::optional<Time>* out) {
  std::string text;
  if (!ReadText(key, 64, &text)) return;
  int64_t micros = 0;
  if (!base::ParseTimestamp(text, &micros)) {
    return Fail(key, "must be a time such as 2024-05-01T12:00:00Z (RFC 3339, years 1970 to 9999)");
  }
  *out = Time(std::chrono::microseconds(micros));
}

void Fields::ReadInteger(const char* key, int64_t low, int64_t high, std::optional<int64_t>* out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
  if (!fits || value->get<int64_t>() < low || value->get<int64_t>() > high) {
    return Fail(key, "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  *out = value->get<int64_t>();
}

void Fields::ReadBool(const char* key, bool* out) {
  const json* value = Find(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) return Fail(key, "must be true or false");
  *out = value->get<bool>();
}

void Fields::Require(std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (Find(key) == nullptr) return Fail(key, "is missing");
  }
}

void Fields::AllowOnly(std::initializer_list<const char*> keys) {
  for (const auto& [name, value] : object_.items()) {
    if (std::find_if(keys.begin(), keys.end(), [&name = name](const char* key) { return name == key; }) == keys.end()) {
      std::string known;
      for (const char* key : keys) known += (known.empty() ? "" : ", ") + std::string(key);
      Take(absl::InvalidArgumentError("an unknown key" +
                                      (where_.empty() ? "" : " in `" + where_.substr(0, where_.size() - 1) + "`") +
                                      "; known are " + known));
      return;
    }
  }
}

}  // namespace consent
