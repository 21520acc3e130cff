#include "daemon/wire/time_zones.h"

#include <cstdlib>
#include <fstream>

namespace consent::wire {
namespace {

constexpr std::string_view kBlank = " ";

// Of "Z Europe/Bucharest 1:44:24 ..." and "L Europe/Bucharest Some/Link": the name that the line gives; of any other nothing.
std::string_view NameOf(std::string_view line) {
  const std::string_view kind = line.substr(0, 2);
  if (kind != "Z " && kind != "L ") return {};
  line.remove_prefix(2);
  if (kind == "L ") {
    const size_t target = line.find(kBlank);
    if (target == std::string_view::npos) return {};
    line.remove_prefix(target + 1);
  }
  return line.substr(0, line.find(kBlank));
}

}  // namespace

bool IsTimeZoneName(std::string_view name) {
  if (name.empty() || name == "Factory") return false;
  const char* folder = std::getenv("TZDIR");
  std::ifstream list(std::string(folder != nullptr ? folder : "/usr/share/zoneinfo") + "/tzdata.zi");
  for (std::string line; std::getline(list, line);) {
    if (NameOf(line) == name) return true;
  }
  return false;
}

}  // namespace consent::wire
