#include "client/cli/words.h"

#include <cctype>
#include <optional>
#include <string_view>

#include "client/cli/help.h"
#include "client/cli/printable.h"
#include "daemon/base/nearest_name.h"

namespace consent::cli {
namespace {

// A wrong word is shown up to here.
constexpr size_t kMostShown = 64;

std::string Shown(const std::string& word) {
  return "'" + Printable(word.size() <= kMostShown ? word : word.substr(0, kMostShown)) + "'" +
         (word.size() <= kMostShown ? "" : "…");
}

std::optional<std::string> Nearest(const std::string& word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::optional<std::string_view> nearest = base::NearestName(word, views);
  if (!nearest.has_value()) return std::nullopt;
  return std::string(*nearest);
}

std::vector<std::string> CommandNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* one : command.get_subcommands({})) names.push_back(one->get_name());
  return names;
}

// Commands of that name anywhere below, by their path.
void FindNamed(const CLI::App& command, const std::string& name, std::vector<std::string>* paths) {
  for (const CLI::App* one : command.get_subcommands({})) {
    if (one->get_name() == name) paths->push_back(CommandPath(one));
    FindNamed(*one, name, paths);
  }
}

const CLI::App* ProgramOf(const CLI::App& command) {
  const CLI::App* program = &command;
  while (program->get_parent() != nullptr) program = program->get_parent();
  return program;
}

std::string Listed(const std::vector<std::string>& names, const char* conjunction) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? std::string(" ") + conjunction + " " : ", ") + names[i];
  }
  return text;
}

std::string UnknownCommand(const CLI::App& command, const std::string& word) {
  const std::string path = CommandPath(&command);
  std::string text = "unknown command " + Shown(word) + (path.empty() ? "" : " of '" + path + "'");
  if (const std::optional<std::string> nearest = Nearest(word, CommandNames(command)); nearest.has_value()) {
    return text + "; did you mean '" + (path.empty() ? "" : path + " ") + *nearest + "'?";
  }
  std::vector<std::string> elsewhere;
  FindNamed(*ProgramOf(command), word, &elsewhere);
  for (std::string& one : elsewhere) one.insert(0, 1, '\'').append(1, '\'');
  if (!elsewhere.empty()) return text + "; did you mean " + Listed(elsewhere, "or") + "?";
  if (!path.empty()) return text + "; there are " + Listed(CommandNames(command), "and");
  return text + "; `consentctl help` lists them";
}

// The option of that name that the command takes, its own or one of a command above it.
const CLI::Option* FindOption(const CLI::App& command, const std::string& name) {
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    if (const CLI::Option* option = at->get_option_no_throw(name); option != nullptr) return option;
  }
  return nullptr;
}

std::string UnknownOption(const CLI::App& command, const std::string& name) {
  const std::string path = CommandPath(&command);
  const std::string text = "unknown option " + Shown(name) + (path.empty() ? "" : " of '" + path + "'");
  std::vector<std::string> names;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      if (option->nonpositional()) names.push_back("--" + option->get_single_name());
    }
  }
  if (const std::optional<std::string> nearest = Nearest(name, names); nearest.has_value()) {
    return text + "; did you mean '" + *nearest + "'?";
  }
  return text + "; `" + FullName(command) + " --help` lists what it takes";
}

const CLI::App* Below(const CLI::App& command, const std::string& name) {
  for (const CLI::App* one : command.get_subcommands({})) {
    if (one->get_name() == name) return one;
  }
  return nullptr;
}

bool IsHelp(const std::string& word) { return word == "--help" || word == "-h"; }

}  // namespace

ReachedCommand FollowWords(const CLI::App& program, const std::vector<std::string>& arguments) {
  ReachedCommand reached;
  reached.command = &program;
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& word = arguments[i];
    // `-30d` is a time, and no option begins with a digit.
    if (word.size() > 1 && word[0] == '-' && std::isdigit(static_cast<unsigned char>(word[1])) == 0) {
      if (IsHelp(word)) {
        reached.help = true;
        continue;
      }
      const size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      const CLI::Option* option = FindOption(*reached.command, name);
      if (option == nullptr) {
        reached.problem = UnknownOption(*reached.command, name);
        return reached;
      }
      if (option == program.get_option_no_throw("--version")) reached.help = true;
      // Its value is no word.
      if (equals == std::string::npos && option->get_expected_max() != 0) ++i;
      continue;
    }
    if (CommandNames(*reached.command).empty()) continue;
    const CLI::App* next = Below(*reached.command, word);
    if (next == nullptr) {
      reached.problem = UnknownCommand(*reached.command, word);
      return reached;
    }
    reached.command = next;
  }
  return reached;
}

const CLI::App* FindCommand(const CLI::App& program, const std::vector<std::string>& words, std::string* problem) {
  const CLI::App* at = &program;
  for (const std::string& word : words) {
    const CLI::App* next = Below(*at, word);
    if (next == nullptr) {
      *problem =
          CommandNames(*at).empty() ? "'" + CommandPath(at) + "' has no further commands" : UnknownCommand(*at, word);
      return nullptr;
    }
    at = next;
  }
  return at;
}

std::string FullName(const CLI::App& command) {
  const std::string path = CommandPath(&command);
  return path.empty() ? "consentctl" : "consentctl " + path;
}

std::string PageOf(const CLI::App& command) {
  return command.help(command.get_parent() == nullptr ? "" : FullName(*command.get_parent()));
}

}  // namespace consent::cli
