// What a terminal can show: its width, its colours, and how wide a text stands on it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace consent::cli {

// Where nobody says how wide it is.
inline constexpr size_t kDefaultColumns = 80;

// Columns of the terminal behind `descriptor`; 0 where it is none, kDefaultColumns where it does not say.
size_t TerminalColumns(int descriptor);
// True on a terminal, unless NO_COLOR is set and not empty (https://no-color.org), or TERM is `dumb`.
bool MayColour(int descriptor);

// Columns that UTF-8 takes on a terminal: 2 for wide characters, 0 for those that combine, by glibc's tables; 1 for
// what it does not know. `text` has no control characters (Printable).
size_t DisplayWidth(std::string_view text);

// `text` in lines of at most `width` columns (at least 1), broken at blanks and behind commas. What is longer than a
// line is broken anywhere. Ends of lines in it stay. At least one line.
std::vector<std::string> WrapText(const std::string& text, size_t width);
// The width of the longest piece of `text` that WrapText breaks only where it must.
size_t LongestPiece(const std::string& text);

}  // namespace consent::cli
