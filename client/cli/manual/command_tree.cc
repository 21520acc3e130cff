#include "client/cli/manual/command_tree.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace consent::cli {
namespace {

std::string TypedName(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
  return name;
}

// Splits at commas; blanks around the parts are dropped.
std::vector<std::string> Parts(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    const size_t begin = part.find_first_not_of(' ');
    if (begin != std::string::npos) parts.push_back(part.substr(begin, part.find_last_not_of(' ') + 1 - begin));
  }
  return parts;
}

// Of an option that takes an enum's name, whose help ends with all of them; of CLI11's IsMember, whose type does.
std::vector<std::string> ChoicesOf(const std::string& type, const std::string& about) {
  const size_t brace = type.find('{');
  if (brace != std::string::npos && type.back() == '}') {
    return Parts(type.substr(brace + 1, type.size() - brace - 2));
  }
  const size_t colon = about.rfind(": ");
  if (type != "NAME" || colon == std::string::npos) return {};
  const std::string names = about.substr(colon + 2);
  if (names.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_, ") != std::string::npos) return {};
  std::vector<std::string> choices = Parts(names);
  std::transform(choices.begin(), choices.end(), choices.begin(), TypedName);
  return choices;
}

ValueKind KindOf(const ManualOption& option) {
  if (!option.choices.empty()) return ValueKind::kChoice;
  if (option.value.rfind("DIR", 0) == 0) return ValueKind::kFolder;
  if (option.value == "COMMAND") return ValueKind::kCommand;
  // An operand says what it is in its help.
  const bool is_file = option.value.rfind("FILE", 0) == 0 || option.about.rfind("A file", 0) == 0;
  return is_file ? ValueKind::kFile : ValueKind::kText;
}

ManualOption ReadOption(const CLI::Option& option) {
  ManualOption read;
  for (const std::string& name : option.get_snames()) read.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) read.names.push_back("--" + name);
  if (read.names.empty()) read.names.push_back(option.get_name(/*positional=*/true));
  read.about = option.get_description();
  read.group = option.get_group();
  read.environment = option.get_envname();
  read.is_required = option.get_required();
  read.may_repeat = option.get_expected_max() > 1 || option.get_items_expected_max() > 1;
  if (option.get_expected_max() == 0) return read;
  const std::string type = option.get_type_name();
  read.choices = ChoicesOf(type, read.about);
  read.value = type.empty() ? "TEXT" : type.substr(0, type.find(':'));
  read.kind = KindOf(read);
  return read;
}

// "  # what it does" and the line below it, as the foot of a page of help has them.
std::vector<ManualExample> ReadExamples(const std::string& footer) {
  std::vector<ManualExample> examples;
  std::istringstream in(footer);
  for (std::string line; std::getline(in, line);) {
    ManualExample example;
    if (line.rfind("  # ", 0) != 0) continue;
    example.what = line.substr(4);
    if (!std::getline(in, line) || line.rfind("  ", 0) != 0) break;
    example.line = line.substr(2);
    examples.push_back(example);
  }
  return examples;
}

ManualCommand ReadCommand(const CLI::App& app, const std::string& path) {
  ManualCommand read;
  read.name = app.get_name();
  read.path = path;
  read.about = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty() || (!path.empty() && option == app.get_help_ptr())) continue;
    (option->get_positional() && !option->nonpositional() ? read.operands : read.options)
        .push_back(ReadOption(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_group().empty() || command->get_name().empty()) continue;
    std::string below = path;
    if (!below.empty()) below += ' ';
    read.commands.push_back(ReadCommand(*command, below + command->get_name()));
  }
  read.examples = ReadExamples(app.get_footer());
  return read;
}

}  // namespace

ManualCommand ReadCommandTree(const CLI::App& program) { return ReadCommand(program, ""); }

}  // namespace consent::cli
