// Text of others on a terminal: what would move, hide or reorder what is shown is escaped, and ids that hold such are
// told of.
#pragma once

#include <string>
#include <string_view>

namespace consent::cli {

// Control characters (C0, DEL, C1), those that order text from right to left or hide (U+202E, U+200F, U+200B, ...),
// line separators and bytes that are no UTF-8 become \xNN or \u{NNNN}, and so do blanks at either end.
std::string Printable(std::string_view text);

// JSON as it is, with the same characters written as \uNNNN: for parsers nothing changes.
std::string PrintableJson(std::string_view json);

// What looks mistaken about an id, which is taken all the same: a blank or a line's end at an end, or a character that
// is not shown. Empty: nothing.
std::string Oddity(std::string_view id);

}  // namespace consent::cli
