#include "client/cli/printable.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "daemon/base/utf8.h"

namespace consent::cli {
namespace {

constexpr char32_t kNoCharacter = 0xFFFFFFFF;

// Takes one character off `text`, or one byte that begins none (then kNoCharacter).
char32_t Take(std::string_view* text, std::string_view* bytes) {
  for (size_t length = 1; length <= 4 && length <= text->size(); ++length) {
    *bytes = text->substr(0, length);
    if (!base::IsUtf8(*bytes)) continue;
    text->remove_prefix(length);
    auto value = static_cast<char32_t>(static_cast<uint8_t>((*bytes)[0]));
    if (length > 1) value &= 0x7FU >> length;
    for (const char c : bytes->substr(1)) value = value << 6 | (static_cast<uint8_t>(c) & 0x3FU);
    return value;
  }
  *bytes = text->substr(0, 1);
  text->remove_prefix(1);
  return kNoCharacter;
}

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode's control and format characters, line separators, variation selectors and tags: nothing of them is seen, and
// some move what is.
constexpr std::array kNotShown = {
    Range{0x00, 0x1F},       Range{0x7F, 0x9F},       Range{0xAD, 0xAD},      Range{0x34F, 0x34F},
    Range{0x61C, 0x61C},     Range{0x115F, 0x1160},   Range{0x17B4, 0x17B5},  Range{0x180B, 0x180F},
    Range{0x200B, 0x200F},   Range{0x2028, 0x202E},   Range{0x2060, 0x206F},  Range{0x3164, 0x3164},
    Range{0xFE00, 0xFE0F},   Range{0xFEFF, 0xFEFF},   Range{0xFFA0, 0xFFA0},  Range{0xFFF0, 0xFFFB},
    Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A}, Range{0xE0000, 0xE0FFF}};

constexpr std::array kBlanks = {Range{0x20, 0x20},     Range{0xA0, 0xA0},     Range{0x1680, 0x1680},
                                Range{0x2000, 0x200A}, Range{0x202F, 0x202F}, Range{0x205F, 0x205F},
                                Range{0x3000, 0x3000}};

template <typename Ranges>
bool In(const Ranges& ranges, char32_t character) {
  for (const Range& range : ranges) {
    if (character >= range.first && character <= range.last) return true;
  }
  return false;
}

std::string Format(const char* format, unsigned value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string Escaped(char32_t character, std::string_view bytes) {
  if (character == kNoCharacter) return Format("\\x%02x", static_cast<uint8_t>(bytes[0]));
  return Format(character <= 0xFF ? "\\x%02x" : "\\u{%x}", character);
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string safe;
  bool at_begin = true;
  for (std::string_view rest = text; !rest.empty(); at_begin = false) {
    std::string_view bytes;
    const char32_t character = Take(&rest, &bytes);
    const bool blank_at_an_end = In(kBlanks, character) && (at_begin || rest.empty());
    if (character == kNoCharacter || In(kNotShown, character) || blank_at_an_end) {
      safe += Escaped(character, bytes);
    } else {
      safe += bytes;
    }
  }
  return safe;
}

std::string PrintableJson(std::string_view json) {
  std::string safe;
  for (std::string_view rest = json; !rest.empty();) {
    std::string_view bytes;
    const char32_t character = Take(&rest, &bytes);
    // Below U+0080 JSON has escaped what must be, DEL apart; the rest is its own layout.
    if (character == kNoCharacter || (character < 0x80 && character != 0x7F) || !In(kNotShown, character)) {
      safe += bytes;
    } else if (character > 0xFFFF) {
      safe += Format("\\u%04x", 0xD800 + ((character - 0x10000) >> 10)) +
              Format("\\u%04x", 0xDC00 + ((character - 0x10000) & 0x3FF));
    } else {
      safe += Format("\\u%04x", character);
    }
  }
  return safe;
}

std::string Oddity(std::string_view id) {
  bool at_begin = true;
  for (std::string_view rest = id; !rest.empty(); at_begin = false) {
    std::string_view bytes;
    const char32_t character = Take(&rest, &bytes);
    const bool line_end = character == '\r' || character == '\n' || character == '\t';
    if ((at_begin || rest.empty()) && (In(kBlanks, character) || line_end)) {
      return "an id has a blank or a line's end at an end; it is taken as it is";
    }
    if (character != kNoCharacter && In(kNotShown, character)) {
      return "an id holds a character that is not shown (" + Format("U+%04X", character) + "); it is taken as it is";
    }
  }
  return "";
}

}  // namespace consent::cli
