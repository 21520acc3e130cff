// Where in a JSON file something stands, for messages to people.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace consent::json {

// Lines and columns count from 1, columns in characters (UTF-8 code points).
struct LineColumn {
  int line = 1;
  int column = 1;
  bool operator==(const LineColumn&) const = default;
};

// Of byte `offset` of `text`; beyond its end: of the end.
LineColumn LineColumnAt(std::string_view text, size_t offset);
// " (line 3, column 14)".
std::string PlaceText(const LineColumn& place);

// Where each value of a file begins, found by the paths that problems name (problems.h). Reads what is no JSON as far
// as it is some, and nests no deeper than 64. Immutable; thread-safe.
class Places {
 public:
  // `json` outlives it.
  explicit Places(std::string_view json);
  // Of the value at `path`; of what it stands in where the file has no such value.
  LineColumn Find(std::string path) const;

 private:
  std::string_view json_;
  // Keys of an object stand both as a field's name in snake_case and as a map's key.
  std::map<std::string, size_t> offsets_;
};

}  // namespace consent::json
