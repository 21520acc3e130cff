#include "daemon/ops/config_problem.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "daemon/base/nearest_name.h"

namespace consent::ops {

std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return text;
}

std::string FileProblem(const std::string& cli11_text) {
  constexpr absl::string_view kUnknown = "INI was not able to parse ";
  constexpr absl::string_view kSection = ".++";
  if (!absl::StartsWith(cli11_text, kUnknown)) return cli11_text;
  const std::string name = cli11_text.substr(kUnknown.size());
  if (absl::EndsWith(name, kSection)) {
    return absl::StrCat("unknown section '", name.substr(0, name.size() - kSection.size()), "'");
  }
  return absl::StrCat("unknown key '", name, "'");
}

std::string OptionMeant(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) names.push_back("--" + option->get_single_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const std::string& argument : arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    if (name.rfind("--", 0) != 0 || app.get_option_no_throw(name) != nullptr) continue;
    const std::optional<std::string_view> nearest = base::NearestName(name, known);
    return nearest.has_value() ? "; did you mean '" + std::string(*nearest) + "'?" : "";
  }
  return "";
}

std::string CommandMeant(const std::string& word) {
  constexpr std::array<std::string_view, 6> kCommands = {"serve", "policy", "callers", "store", "version", "help"};
  const std::optional<std::string_view> nearest = base::NearestName(word, kCommands);
  return nearest.has_value() ? "; did you mean '" + std::string(*nearest) + "'? There are" : "; there are";
}

}  // namespace consent::ops
