#include "daemon/ops/help_formatter.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

namespace consent::ops {
namespace {

constexpr size_t kLeastColumns = 60;
constexpr size_t kMostColumns = 120;
constexpr size_t kIndent = 30;

// The words of `text` in lines that end before `columns`, each but the first behind `indent` blanks; ends with a line's
// end. A word that is longer than a line has one to itself.
std::string Wrapped(const std::string& text, size_t indent, size_t columns) {
  std::istringstream words(text);
  std::string wrapped;
  size_t used = indent;
  for (std::string word; words >> word;) {
    if (used > indent && used + 1 + word.size() > columns) {
      wrapped += "\n" + std::string(indent, ' ');
      used = indent;
    }
    const bool is_first = used == indent;
    wrapped += (is_first ? "" : " ") + word;
    used += word.size() + (is_first ? 0 : 1);
  }
  return wrapped + "\n";
}

}  // namespace

size_t HelpColumns() {
  winsize size{};
  const bool is_said =
      ::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_said ? std::clamp<size_t>(size.ws_col, kLeastColumns, kMostColumns) : kPageColumns;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = "  " + make_option_name(option, is_positional) + make_option_opts(option);
  name += name.size() + 2 > kIndent ? "\n" + std::string(kIndent, ' ') : std::string(kIndent - name.size(), ' ');
  return name + Wrapped(make_option_desc(option), kIndent, columns_);
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return Wrapped(app->get_description(), 0, columns_);
}

}  // namespace consent::ops
