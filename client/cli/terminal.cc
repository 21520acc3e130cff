#include "client/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <cwchar>

namespace consent::cli {
namespace {

// The characters of UTF-8, whatever the environment says; for one thread, while it lives.
class Utf8Locale {
 public:
  Utf8Locale() : made_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (made_ != nullptr) before_ = ::uselocale(made_);
  }
  ~Utf8Locale() {
    if (made_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(made_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t made_;
  locale_t before_ = nullptr;
};

// Bytes of the character that begins `text`, which is not empty.
size_t CharacterBytes(std::string_view text) {
  size_t bytes = 1;
  while (bytes < text.size() && (static_cast<uint8_t>(text[bytes]) & 0xC0U) == 0x80U) ++bytes;
  return bytes;
}

// `character` is one character of UTF-8.
wchar_t CodePoint(std::string_view character) {
  uint32_t value = static_cast<uint8_t>(character[0]);
  if (character.size() > 1) value &= 0x7FU >> character.size();
  for (const char c : character.substr(1)) value = value << 6U | (static_cast<uint8_t>(c) & 0x3FU);
  return static_cast<wchar_t>(value);
}

// Within a Utf8Locale.
size_t CharacterWidth(std::string_view character) {
  const int width = ::wcwidth(CodePoint(character));
  return width < 0 ? 1 : static_cast<size_t>(width);
}

size_t WidthOf(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    width += CharacterWidth(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return width;
}

// Takes a piece off `text` that is not broken where that can be helped, with the blanks behind it.
std::string_view TakePiece(std::string_view* text) {
  size_t end = 0;
  while (end < text->size() && (*text)[end] != ' ') {
    if ((*text)[end++] == ',') break;
  }
  while (end < text->size() && (*text)[end] == ' ') ++end;
  const std::string_view piece = text->substr(0, end);
  text->remove_prefix(end);
  return piece;
}

std::string_view WithoutBlanks(std::string_view piece) {
  const size_t last = piece.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view() : piece.substr(0, last + 1);
}

// Makes lines of pieces. Within a Utf8Locale.
class Wrapper {
 public:
  Wrapper(size_t width, std::vector<std::string>* lines) : width_(std::max<size_t>(width, 1)), lines_(lines) {}

  void Add(std::string_view piece) {
    const std::string_view word = WithoutBlanks(piece);
    const size_t word_width = WidthOf(word);
    if (used_ + word_width > width_ && used_ > 0) End();
    if (word_width > width_) {
      Break(word);
    } else {
      line_ += word;
      used_ += word_width;
    }
    const size_t blanks = piece.size() - word.size();
    line_.append(blanks, ' ');
    used_ += blanks;
  }

  void End() {
    lines_->emplace_back(WithoutBlanks(line_));
    line_.clear();
    used_ = 0;
  }

 private:
  void Break(std::string_view word) {
    while (!word.empty()) {
      const std::string_view character = word.substr(0, CharacterBytes(word));
      const size_t width = CharacterWidth(character);
      if (used_ + width > width_ && used_ > 0) End();
      line_ += character;
      used_ += width;
      word.remove_prefix(character.size());
    }
  }

  const size_t width_;
  std::vector<std::string>* lines_;
  std::string line_;
  size_t used_ = 0;
};

}  // namespace

size_t TerminalColumns(int descriptor) {
  if (::isatty(descriptor) != 1) return 0;
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultColumns;
  return size.ws_col;
}

bool MayColour(int descriptor) {
  if (::isatty(descriptor) != 1) return false;
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const term = std::getenv("TERM");
  return (no_colour == nullptr || no_colour[0] == '\0') && term != nullptr && std::strcmp(term, "dumb") != 0;
}

size_t DisplayWidth(std::string_view text) {
  const Utf8Locale locale;
  return WidthOf(text);
}

std::vector<std::string> WrapText(const std::string& text, size_t width) {
  const Utf8Locale locale;
  std::vector<std::string> lines;
  Wrapper wrapper(width, &lines);
  std::string_view rest = text;
  for (;;) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    while (!line.empty()) wrapper.Add(TakePiece(&line));
    wrapper.End();
    if (end == rest.size()) return lines;
    rest.remove_prefix(end + 1);
  }
}

size_t LongestPiece(const std::string& text) {
  const Utf8Locale locale;
  size_t longest = 0;
  std::string_view rest = text;
  while (!rest.empty()) longest = std::max(longest, WidthOf(WithoutBlanks(TakePiece(&rest))));
  return longest;
}

}  // namespace consent::cli
