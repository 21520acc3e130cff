// One JSON object per line, read strictly: every value is checked, and what is wrong is said without repeating it,
// because lines hold ids.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/names.h"
#include "consent/recording_lines.h"
#include "consent/types.h"
#include "daemon/base/bounds.h"
#include "daemon/base/ids.h"

namespace consent {

// The only reader of JSON in the client: lines of recordings and imports, the file of `check`, state files. A line is
// one JSON object and nothing else, whatever the bytes: its first byte opens the object and its last one closes it.
// InvalidArgument, and nothing of the line may be used: a byte before or behind the object (a blank, a second value, a
// byte order mark), a NUL byte or a lone CR anywhere, longer than `most_bytes`, not UTF-8, nested deeper than 8, or an
// object that has a key twice (which of the two would count?). The message never repeats the line.
absl::StatusOr<nlohmann::json> ParseObject(std::string_view line, size_t most_bytes = kMaxLineBytes);

// A line of which a part cannot be read.
struct DamagedObject {
  nlohmann::json object;
  // Why ParseObject refuses the line; OK: it does not.
  absl::Status fault;
};

// For lines of which each part counts for itself: takes what ParseObject takes, and an object that has blanks, a CR or
// a byte order mark around it, that is nested deeper, has a key twice or is not UTF-8. The value of a key that its
// object has twice, and a text that is not UTF-8, cannot be read: WhyUnreadable tells, and Fields fails where it is
// asked for. InvalidArgument: anything else.
absl::StatusOr<DamagedObject> ParseDamagedObject(std::string_view line);

// Why the value cannot be read; empty: it can.
std::string WhyUnreadable(const nlohmann::json& value);
// All values of a key that its object has more than once, in the order of the line, where ParseDamagedObject has read
// it; else nothing.
std::vector<nlohmann::json> RepeatedValues(const nlohmann::json& value);

// Reads the values of one object. After the first mistake the getters do nothing: check status() once, at the end,
// before any value is used. A key whose value is null counts as absent.
class Fields {
 public:
  // `object` must be an object and outlive this. `where` stands in front of keys in messages, for example
  // "choices[2].".
  explicit Fields(const nlohmann::json& object, std::string where = "") : object_(object), where_(std::move(where)) {}

  bool Has(const char* key);
  // 1 to 128 bytes. Absent: *out stays as it is.
  template <typename Tag>
  void ReadId(const char* key, Id<Tag>* out) {
    std::string text;
    if (ReadText(key, base::kMaxIdBytes, &text)) *out = Id<Tag>(std::move(text));
  }
  template <typename Tag>
  void ReadIds(const char* key, size_t most, std::vector<Id<Tag>>* out) {
    for (std::string& text : ReadTexts(key, most, base::kMaxIdBytes)) {
      if (std::find(out->begin(), out->end(), Id<Tag>(text)) != out->end()) return Fail(key, "an entry appears twice");
      out->emplace_back(std::move(text));
    }
  }
  // As the daemon reads them: `DE`, and where a subdivision may stand `US-CA`.
  void ReadRegion(const char* key, std::string* out);
  void ReadCountry(const char* key, std::string* out);
  // True if there and a text of 1 to `most` bytes.
  bool ReadText(const char* key, size_t most, std::string* out) { return ReadText(key, 1, most, out); }
  bool ReadText(const char* key, size_t least, size_t most, std::string* out);
  std::vector<std::string> ReadTexts(const char* key, size_t most_items, size_t most_bytes);
  void ReadTime(const char* key, std::optional<Time>* out);
  void ReadInteger(const char* key, int64_t low, int64_t high, std::optional<int64_t>* out);
  void ReadBool(const char* key, bool* out);
  template <typename Enum>
  void ReadName(const char* key, Enum* out) {
    std::string text;
    if (ReadText(key, base::kMaxIdBytes, &text) && !ParseName(text, out)) FailName<Enum>(key);
  }
  template <typename Enum>
  void ReadNames(const char* key, size_t most, std::vector<Enum>* out) {
    for (const std::string& text : ReadTexts(key, most, base::kMaxIdBytes)) {
      Enum value = Enum::kUnset;
      if (!ParseName(text, &value)) return FailName<Enum>(key);
      out->push_back(value);
    }
  }
  // The array under `key`, empty where absent.
  const nlohmann::json& ReadArray(const char* key, size_t most);

  // The keys that must be there.
  void Require(std::initializer_list<const char*> keys);
  // The only keys that may be there.
  void AllowOnly(std::initializer_list<const char*> keys);
  void Fail(const char* key, const std::string& what);
  // Takes over the first mistake of a nested object.
  void Take(const absl::Status& status);
  const absl::Status& status() const { return status_; }

 private:
  template <typename Enum>
  void FailName(const char* key) {
    std::string names;
    for (int number = 1; FromNumber<Enum>(number) != Enum::kUnset; ++number) {
      if (number > 1) names += ", ";
      names += Name(FromNumber<Enum>(number));
    }
    Fail(key, "unknown value; it must be one of " + names);
  }
  // Null where it is absent, null or cannot be read.
  const nlohmann::json* Find(const char* key);

  const nlohmann::json& object_;
  std::string where_;
  absl::Status status_;
};

}  // namespace consent
