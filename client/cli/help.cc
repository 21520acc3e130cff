#include "client/cli/help.h"

#include <unistd.h>

#include <algorithm>

#include "client/cli/examples.h"
#include "client/cli/terminal.h"

namespace consent::cli {
namespace {

constexpr size_t kLeastColumns = 40;
constexpr size_t kMostColumns = 120;
// From here on names stand beside what they are, else above it.
constexpr size_t kTwoColumnsFrom = 70;
constexpr size_t kNameColumn = 30;
constexpr size_t kIndent = 6;

std::string FooterOf(const CLI::App* command) {
  std::string footer;
  for (const Example& example : ExamplesOf(CommandPath(command))) {
    footer += (footer.empty() ? "Examples:\n" : "") + std::string("  # ") + example.what + "\n  " + example.line + "\n";
  }
  if (command->get_parent() == nullptr) {
    footer +=
        "\nMore:\n"
        "  consentctl help COMMAND     explains a command\n"
        "  consentctl help exit-codes  says how commands end\n"
        "  consentctl help times       says how times are typed\n";
  }
  return footer;
}

}  // namespace

HelpFormatter::HelpFormatter(size_t width) : width_(width) {}

std::string HelpFormatter::Row(const std::string& name, const std::string& what) const {
  std::string text = "  " + name;
  const bool beside = width_ >= kTwoColumnsFrom;
  const size_t indent = beside ? kNameColumn : kIndent;
  if (what.empty()) return text + "\n";
  const bool below = !beside || DisplayWidth(text) + 2 > kNameColumn;
  text += below ? "\n" + std::string(indent, ' ') : std::string(indent - DisplayWidth(text), ' ');
  bool is_first = true;
  for (const std::string& line : WrapText(what, width_ - indent)) {
    if (!is_first) text += std::string(indent, ' ');
    text += line + "\n";
    is_first = false;
  }
  return text;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return Row(make_option_name(option, is_positional) + make_option_opts(option), make_option_desc(option));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  // The first sentence; the rest is on its page.
  const std::string what = command->get_description();
  size_t end = what.find_first_of(".?");
  while (end != std::string::npos && end + 1 < what.size() && what[end + 1] != ' ')
    end = what.find_first_of(".?", end + 1);
  const bool has_more = end != std::string::npos && end + 1 < what.size();
  return Row(command->get_name(), has_more ? what.substr(0, end + (what[end] == '?' ? 1 : 0)) : what);
}

std::string HelpFormatter::make_description(const CLI::App* command) const {
  std::string text;
  for (const std::string& line : WrapText(command->get_description(), width_)) text += line + "\n";
  return text;
}

size_t HelpColumns() {
  const size_t columns = TerminalColumns(STDOUT_FILENO);
  return columns == 0 ? kDefaultColumns : std::clamp(columns, kLeastColumns, kMostColumns);
}

std::string CommandPath(const CLI::App* command) {
  std::string path;
  for (; command->get_parent() != nullptr; command = command->get_parent()) {
    if (!path.empty()) path.insert(0, 1, ' ');
    path.insert(0, command->get_name());
  }
  return path;
}

void AddFooters(CLI::App* program) {
  program->footer(FooterOf(program));
  for (CLI::App* command : program->get_subcommands({})) AddFooters(command);
}

}  // namespace consent::cli
