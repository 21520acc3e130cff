#include "daemon/ops/config_environment.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace consent::ops {
namespace {

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : std::toupper(c); });
  return text;
}

}  // namespace

bool IsSetFromOutside(const CLI::Option& option) { return option.get_configurable(); }

absl::StatusOr<std::vector<std::string>> WithEnvironment(const CLI::App& app, const std::vector<std::string>& arguments,
                                                         const std::map<std::string, std::string>& environment) {
  std::map<std::string, std::string> names = {{"CONSENTD_CONFIG", "config"}};
  for (const CLI::Option* option : app.get_options()) {
    if (IsSetFromOutside(*option))
      names.emplace("CONSENTD_" + Upper(option->get_single_name()), option->get_single_name());
  }
  std::vector<std::string> all;
  const auto add = [&all](const std::string& option, const std::string& value) {
    if (value.empty()) {  // CLI11 reads `--option=` as "the value follows"
      all.push_back(option);
      all.emplace_back();
    } else {
      all.push_back(absl::StrCat(option, "=", value));
    }
  };
  // Of an option that may be given again all values count, so the environment's must not stand beside the user's own.
  const bool listens = std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument == "--listen" || argument.rfind("--listen=", 0) == 0;
  });
  for (const auto& [variable, value] : environment) {
    if (variable.rfind("CONSENTD_", 0) != 0) continue;
    const auto known = names.find(variable);
    if (known == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown environment variable ", variable, "; `consentd serve --help` lists the options"));
    }
    if (known->second != "listen") {
      add("--" + known->second, value);
    } else if (!listens) {
      for (const absl::string_view one : absl::StrSplit(value, ';')) add("--listen", std::string(one));
    }
  }
  for (const std::string& argument : arguments) {
    if (argument.size() > 3 && argument.rfind("--", 0) == 0 && argument.find('=') == argument.size() - 1) {
      add(argument.substr(0, argument.size() - 1), "");
    } else {
      all.push_back(argument);
    }
  }
  return all;
}

}  // namespace consent::ops
