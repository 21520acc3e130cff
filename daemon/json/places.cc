#include "daemon/json/places.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace consent::json {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxValues = 262'144;  // as many as a file of half a megabyte can have

// `defaultRule` as `default_rule`, as protobuf maps them.
std::string SnakeCase(std::string_view key) {
  std::string name;
  for (const char c : key) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c))) {
      name += '_';
      name += static_cast<char>(absl::ascii_tolower(static_cast<unsigned char>(c)));
    } else {
      name += c;
    }
  }
  return name;
}

// Walks over the file. Every step returns false where it is no JSON.
class Walk {
 public:
  Walk(std::string_view json, std::map<std::string, size_t>* offsets) : json_(json), offsets_(*offsets) {}

  bool Value(const std::string& path, const std::string& as_map, int depth) {
    Space();
    if (offsets_.size() >= kMaxValues || depth > kMaxDepth || at_ >= json_.size()) return false;
    offsets_.emplace(path, at_);
    if (!as_map.empty()) offsets_.emplace(as_map, at_);
    switch (json_[at_]) {
      case '{':
        return Object(path, depth);
      case '[':
        return List(path, depth);
      case '"': {
        std::string_view text;
        return String(&text);
      }
      default:
        return Plain();
    }
  }

 private:
  void Space() {
    while (at_ < json_.size() && absl::ascii_isspace(static_cast<unsigned char>(json_[at_]))) ++at_;
  }
  bool Take(char c) {
    Space();
    if (at_ >= json_.size() || json_[at_] != c) return false;
    ++at_;
    return true;
  }
  // A number, true, false or null.
  bool Plain() {
    const size_t from = at_;
    while (at_ < json_.size() && (absl::ascii_isalnum(static_cast<unsigned char>(json_[at_])) || json_[at_] == '-' ||
                                  json_[at_] == '+' || json_[at_] == '.')) {
      ++at_;
    }
    return at_ > from;
  }
  // Escapes stay as they are: no path has any.
  bool String(std::string_view* text) {
    if (!Take('"')) return false;
    const size_t from = at_;
    while (at_ < json_.size() && json_[at_] != '"') at_ += json_[at_] == '\\' ? 2 : 1;
    if (at_ >= json_.size()) return false;
    *text = json_.substr(from, at_ - from);
    ++at_;
    return true;
  }
  bool Object(const std::string& path, int depth) {
    ++at_;
    if (Take('}')) return true;
    do {
      std::string_view key;
      Space();
      if (!String(&key) || !Take(':')) return false;
      const std::string field = SnakeCase(key);
      if (!Value(path.empty() ? field : absl::StrCat(path, ".", field),
                 absl::StrCat(path, "[\"", std::string(key), "\"]"), depth + 1)) {
        return false;
      }
    } while (Take(','));
    return Take('}');
  }
  bool List(const std::string& path, int depth) {
    ++at_;
    if (Take(']')) return true;
    size_t index = 0;
    do {
      if (!Value(absl::StrCat(path, "[", index++, "]"), "", depth + 1)) return false;
    } while (Take(','));
    return Take(']');
  }

  const std::string_view json_;
  std::map<std::string, size_t>& offsets_;
  size_t at_ = 0;
};

}  // namespace

LineColumn LineColumnAt(std::string_view text, size_t offset) {
  LineColumn place;
  const size_t end = std::min(offset, text.size());
  for (size_t i = 0; i < end; ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

std::string PlaceText(const LineColumn& place) {
  return absl::StrCat(" (line ", place.line, ", column ", place.column, ")");
}

Places::Places(std::string_view json) : json_(json) { (void)Walk(json, &offsets_).Value("", "", 0); }

LineColumn Places::Find(std::string path) const {
  // A file may spell its fields in lowerCamelCase; what stands in brackets is data.
  std::string fields;
  bool is_data = false;
  for (const char c : path) {
    is_data = c == '[' || (is_data && c != ']');
    fields += is_data ? std::string(1, c) : SnakeCase({&c, 1});
  }
  path = std::move(fields);
  for (;;) {
    if (const auto at = offsets_.find(path); at != offsets_.end()) return LineColumnAt(json_, at->second);
    const size_t last = path.find_last_of(".[");
    if (path.empty()) return {};
    path.resize(last == std::string::npos ? 0 : last);
  }
}

}  // namespace consent::json
