// Where in a file something stands, for people who have to mend it.
#pragma once

#include <string>
#include <string_view>

namespace consent::json {

// Both from 1. A column counts characters (code points of UTF-8).
struct Position {
  int line = 1;
  int column = 1;
  bool operator==(const Position&) const = default;
};

// Where the value of `path` begins, written as in Problem (problems.h): `controls[0].texts[1].sentence`,
// `ages_of_consent["DE"]`. Where the file does not have it, where the deepest part of the path that it has begins.
// `json` has passed Scan (scan.h); of any other text the answer is some position in it. Keys are found in both
// spellings
// (`a_b` and `aB`), but not where the file writes them with escapes. Thread-safe.
Position Locate(std::string_view json, std::string_view path);

// " (line 3, column 14)".
std::string PositionText(std::string_view json, std::string_view path);

}  // namespace consent::json
