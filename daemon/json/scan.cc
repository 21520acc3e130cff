#include "daemon/json/scan.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "daemon/json/places.h"

namespace consent::json {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr size_t kMaxQuotedKey = 64;
constexpr size_t kMaxParserText = 256;

enum class JsonType : uint8_t { kNull, kBool, kInteger, kFloat, kString };

const FieldDescriptor* FindField(const Descriptor& message, const std::string& key) {
  const FieldDescriptor* field = message.FindFieldByName(key);
  if (field != nullptr) return field;
  for (int i = 0; i < message.field_count(); ++i) {
    if (message.field(i)->json_name() == key) return message.field(i);
  }
  return nullptr;
}

bool IsTimestamp(const FieldDescriptor& field) {
  return field.type() == FieldDescriptor::TYPE_MESSAGE &&
         field.message_type()->full_name() == "google.protobuf.Timestamp";
}

// What the JSON value of one element of `field` must be; empty: `type` is right.
const char* Mismatch(const FieldDescriptor& field, JsonType type) {
  const bool number = type == JsonType::kInteger || type == JsonType::kFloat;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return type == JsonType::kBool ? "" : "must be true or false";
    case FieldDescriptor::CPPTYPE_INT32:
      return number ? "" : "must be a number";
    case FieldDescriptor::CPPTYPE_INT64:
      return number || type == JsonType::kString ? "" : "must be a number";
    case FieldDescriptor::CPPTYPE_ENUM:
      return type == JsonType::kString || type == JsonType::kInteger ? "" : "must be the name of an enum value";
    case FieldDescriptor::CPPTYPE_STRING:
      return type == JsonType::kString ? "" : "must be a string";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (IsTimestamp(field)) return type == JsonType::kString ? "" : "must be a string";
      return "must be an object";
    default:
      return "has a type that no file uses";
  }
}

// What may stand there; of an enum its names but the first, which is the unset one.
template <typename Descriptors, typename Name>
std::string Permitted(int count, const Descriptors& at, const Name& name) {
  constexpr int kMostListed = 16;
  std::string text = " (permitted: ";
  for (int i = 0; i < count && i < kMostListed; ++i) absl::StrAppend(&text, i == 0 ? "" : ", ", name(*at(i)));
  if (count > kMostListed) absl::StrAppend(&text, " and ", count - kMostListed, " more");
  return text + ")";
}
std::string PermittedKeys(const Descriptor& message) {
  return Permitted(
      message.field_count(), [&](int i) { return message.field(i); }, [](const auto& field) { return field.name(); });
}
std::string PermittedValues(const google::protobuf::EnumDescriptor& values) {
  return Permitted(
      values.value_count() - 1, [&](int i) { return values.value(i + 1); },
      [](const auto& value) { return value.name(); });
}

// Debian's absl has a string view of its own.
absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// One open object or list.
struct Level {
  enum class Kind : uint8_t { kMessage, kMap, kList };
  Kind kind = Kind::kMessage;
  const Descriptor* message = nullptr;     // of kMessage
  const FieldDescriptor* field = nullptr;  // what the next value belongs to; of kMap its values, of kList its elements
  std::set<std::string> keys;              // seen so far
  std::string key;                         // the latest
  size_t index = 0;                        // of kList: of the next element
};

// Receives nlohmann's events. Every callback returns false to stop.
class Scanner : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Scanner(const Descriptor& message) : message_(message) {}

  bool null() override { return Scalar(JsonType::kNull); }
  bool boolean(bool) override { return Scalar(JsonType::kBool); }
  bool number_integer(number_integer_t) override { return Scalar(JsonType::kInteger); }
  bool number_unsigned(number_unsigned_t) override { return Scalar(JsonType::kInteger); }
  bool number_float(number_float_t, const string_t&) override { return Scalar(JsonType::kFloat); }
  bool string(string_t& text) override { return Scalar(JsonType::kString) && IsKnownValue(text); }
  bool binary(binary_t&) override { return Refuse("is binary"); }
  bool start_object(std::size_t) override;
  bool start_array(std::size_t) override;
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& key) override;
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    problem_ = absl::StrCat("not JSON at byte ", position, ": ", Printable(error.what(), kMaxParserText));
    broken_at_ = position > 0 ? position - 1 : 0;
    return false;
  }
  // With its line and column in `json`, which was scanned.
  std::string ProblemIn(std::string_view json) const {
    const LineColumn place = broken_at_ ? LineColumnAt(json, *broken_at_) : Places(json).Find(Path());
    return problem_ + PlaceText(place);
  }

 private:
  std::string Path() const {
    std::string path;
    for (const Level& level : levels_) {
      const std::string key = Printable(level.key, kMaxQuotedKey);
      if (level.kind == Level::Kind::kMessage) absl::StrAppend(&path, path.empty() ? "" : ".", key);
      if (level.kind == Level::Kind::kMap) absl::StrAppend(&path, "[\"", key, "\"]");
      if (level.kind == Level::Kind::kList) absl::StrAppend(&path, "[", level.index, "]");
    }
    return path;
  }
  bool Refuse(std::string_view problem) {
    problem_ = levels_.empty() ? "the file must be one JSON object" : absl::StrCat(Path(), ": ", View(problem));
    return false;
  }
  // The element is complete: a list moves on.
  bool Done() {
    if (!levels_.empty() && levels_.back().kind == Level::Kind::kList) ++levels_.back().index;
    return true;
  }
  bool Scalar(JsonType type);
  // Of a scalar that was taken: an enum has that name.
  bool IsKnownValue(const std::string& text);
  bool Open(Level level) {
    levels_.push_back(std::move(level));
    return true;
  }
  bool Close() {
    levels_.pop_back();
    return Done();
  }

  const Descriptor& message_;
  std::vector<Level> levels_;
  std::string problem_;
  std::optional<size_t> broken_at_;          // a byte
  const FieldDescriptor* scalar_ = nullptr;  // the field of the last one
};

bool Scanner::Scalar(JsonType type) {
  if (levels_.empty()) return Refuse("");
  const Level& level = levels_.back();
  if (type == JsonType::kNull) return Refuse("null is not taken; leave the key out");
  if (level.kind == Level::Kind::kMessage && level.field->is_map()) return Refuse("must be an object");
  if (level.kind == Level::Kind::kMessage && level.field->is_repeated()) return Refuse("must be a list");
  scalar_ = level.field;
  const char* mismatch = Mismatch(*level.field, type);
  if (*mismatch == '\0') return Done();
  return level.field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM
             ? Refuse(mismatch + PermittedValues(*level.field->enum_type()))
             : Refuse(mismatch);
}

bool Scanner::IsKnownValue(const std::string& text) {
  if (scalar_->cpp_type() != FieldDescriptor::CPPTYPE_ENUM) return true;
  const google::protobuf::EnumDescriptor& values = *scalar_->enum_type();
  if (values.FindValueByName(text) != nullptr) return true;
  Level& level = levels_.back();
  if (level.kind == Level::Kind::kList) --level.index;  // it was taken already
  return Refuse(
      absl::StrCat("\"", Printable(text, kMaxQuotedKey), "\" is no ", values.name(), PermittedValues(values)));
}

bool Scanner::start_object(std::size_t) {
  Level opened;
  if (levels_.empty()) {
    opened.message = &message_;
    return Open(std::move(opened));
  }
  const Level& level = levels_.back();
  const FieldDescriptor& field = *level.field;
  if (level.kind == Level::Kind::kMessage && field.is_map()) {
    opened.kind = Level::Kind::kMap;
    opened.field = field.message_type()->map_value();
    return Open(std::move(opened));
  }
  if (level.kind == Level::Kind::kMessage && field.is_repeated()) return Refuse("must be a list");
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || IsTimestamp(field)) {
    return Refuse("must not be an object");
  }
  opened.message = field.message_type();
  return Open(std::move(opened));
}

bool Scanner::start_array(std::size_t) {
  if (levels_.empty()) return Refuse("");
  const Level& level = levels_.back();
  if (level.kind != Level::Kind::kMessage || !level.field->is_repeated() || level.field->is_map()) {
    return Refuse("must not be a list");
  }
  Level opened;
  opened.kind = Level::Kind::kList;
  opened.field = level.field;
  return Open(std::move(opened));
}

bool Scanner::key(string_t& key) {
  Level& level = levels_.back();
  level.key = key;
  if (level.kind == Level::Kind::kMessage) {
    level.field = FindField(*level.message, key);
    if (level.field == nullptr) return Refuse("unknown key" + PermittedKeys(*level.message));
  }
  // Both spellings of a field are one key; the keys of a map are data.
  const std::string& name = level.kind == Level::Kind::kMessage ? level.field->name() : key;
  return level.keys.insert(name).second || Refuse("the key occurs twice in one object");
}

}  // namespace

std::string Printable(std::string_view text, size_t limit) {
  const bool cut = text.size() > limit;
  const std::string_view shown = text.substr(0, limit);
  return absl::StrCat(absl::CHexEscape(absl::string_view(shown.data(), shown.size())), cut ? "..." : "");
}

absl::Status Scan(std::string_view what, std::string_view json, const Descriptor& message) {
  // nlohmann skips a byte order mark and takes a NUL byte for the end.
  if (json.substr(0, 3) == "\xEF\xBB\xBF") {
    return absl::InvalidArgumentError(absl::StrCat(View(what), ": the file begins with a byte order mark"));
  }
  if (const size_t nul = json.find('\0'); nul != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(View(what), ": not JSON at byte ", nul + 1, ": a NUL byte"));
  }
  Scanner scanner(message);
  if (nlohmann::json::sax_parse(json.begin(), json.end(), &scanner)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(View(what), ": ", scanner.ProblemIn(json)));
}

}  // namespace consent::json
