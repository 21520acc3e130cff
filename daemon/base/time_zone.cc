#include "daemon/base/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/time/civil_time.h"

namespace consent::base {
namespace {

constexpr std::string_view kBlank = " ";

// Of "Z Europe/Bucharest 1:44:24 ..." and "L Europe/Bucharest Some/Link": the name that the line gives; of any other
// nothing.
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

std::optional<TimeZone> TimeZone::Load(std::string_view name) {
  absl::TimeZone zone;
  if (!IsTimeZoneName(name) || !absl::LoadTimeZone(std::string(name), &zone)) return std::nullopt;
  return TimeZone(zone);
}

Date TimeZone::DayOf(Instant t) const {
  const Instant within = std::clamp(t, Instant{0}, kLastInstant);
  const absl::CivilDay day(zone_.At(absl::FromUnixMicros(within.micros)).cs);
  return std::min(Date{static_cast<int32_t>(day - absl::CivilDay(1970, 1, 1))}, kLastDate);
}

Instant TimeZone::StartOf(Date day) const {
  if (day > kLastDate) return kEndOfTime;
  const absl::TimeZone::TimeInfo midnight = zone_.At(absl::CivilSecond(absl::CivilDay(1970, 1, 1) + day.days));
  const absl::Time first = midnight.kind == absl::TimeZone::TimeInfo::SKIPPED ? midnight.trans : midnight.pre;
  return std::clamp(Instant{absl::ToUnixMicros(first)}, Instant{1}, kLastInstant);
}

}  // namespace consent::base
