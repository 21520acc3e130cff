#include "daemon/json/position.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace consent::json {
namespace {

// Moves over a text that has passed Scan; of any other it stops at the end.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  size_t at() const { return at_; }
  char Peek() {
    while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  // The text between the quotes, as it stands there.
  std::string_view String() {
    if (!Take('"')) return {};
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    const size_t end = std::min(at_, text_.size());
    at_ = std::min(end + 1, text_.size());
    return text_.substr(begin, end - begin);
  }
  // Over one value.
  void Skip() {
    int depth = 0;
    do {
      const char c = Peek();
      if (c == '\0') return;
      if (c == '"') {
        String();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at_;
      } else if (c == ',' || c == ':') {
        ++at_;
      } else {
        while (at_ < text_.size() && IsOfScalar(text_[at_])) ++at_;
      }
    } while (depth > 0);
  }
  // From the beginning of an object to the value of `key`; from that of a list to its element `index`. False: it has
  // none.
  bool Enter(std::string_view key, bool is_field) {
    if (!Take('{')) return false;
    while (Peek() == '"') {
      const std::string_view name = String();
      Take(':');
      if (is_field ? SameField(name, key) : name == key) return Peek() != '\0';
      Skip();
      Take(',');
    }
    return false;
  }
  bool Enter(size_t index) {
    if (!Take('[')) return false;
    for (size_t i = 0; Peek() != ']' && Peek() != '\0'; ++i) {
      if (i == index) return true;
      Skip();
      Take(',');
    }
    return false;
  }

 private:
  static bool IsOfScalar(char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '+' || c == '.';
  }
  // `allowedCountries` is `allowed_countries`.
  static bool SameField(std::string_view a, std::string_view b) {
    const auto plain = [](std::string_view name) {
      std::string out;
      for (const char c : name) {
        if (c != '_') out += absl::ascii_tolower(static_cast<unsigned char>(c));
      }
      return out;
    };
    return plain(a) == plain(b);
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Takes the path's first step off. False where the file does not have it.
bool Step(Cursor& cursor, std::string_view* path) {
  if (path->front() == '[' && path->size() > 1 && (*path)[1] == '"') {
    const size_t end = path->find("\"]", 2);
    if (end == std::string_view::npos) return false;
    const std::string_view key = path->substr(2, end - 2);
    path->remove_prefix(end + 2);
    return cursor.Enter(key, false);
  }
  if (path->front() == '[') {
    size_t index = 0;
    size_t i = 1;
    for (; i < path->size() && absl::ascii_isdigit(static_cast<unsigned char>((*path)[i])) && i < 10; ++i) {
      index = index * 10 + static_cast<size_t>((*path)[i] - '0');
    }
    if (i == 1 || i >= path->size() || (*path)[i] != ']') return false;
    path->remove_prefix(i + 1);
    return cursor.Enter(index);
  }
  if (path->front() == '.') path->remove_prefix(1);
  const size_t end = std::min(path->find_first_of(".["), path->size());
  const std::string_view key = path->substr(0, end);
  path->remove_prefix(end);
  return !key.empty() && cursor.Enter(key, true);
}

}  // namespace

Position Locate(std::string_view json, std::string_view path) {
  Cursor cursor(json);
  cursor.Peek();
  size_t found = cursor.at();
  while (!path.empty() && Step(cursor, &path)) found = cursor.at();
  Position position;
  for (const char c : json.substr(0, found)) {
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++position.column;
    }
  }
  return position;
}

std::string PositionText(std::string_view json, std::string_view path) {
  const Position position = Locate(json, path);
  return absl::StrCat(" (line ", position.line, ", column ", position.column, ")");
}

}  // namespace consent::json
