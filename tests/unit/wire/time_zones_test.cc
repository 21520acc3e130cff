// Names of time zones, against the files of the machine's database.
#include "daemon/wire/time_zones.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace consent::wire {
namespace {

TEST(TimeZones, NamesAreTaken) {
  for (const char* name : {"Europe/Bucharest", "UTC", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "US/Pacific", "Etc/GMT+12"}) {
    EXPECT_TRUE(IsTimeZoneName(name)) << name;
  }
}

TEST(TimeZones, FilesThatAreNoNamesAreNot) {
  for (const char* name : {"", "posixrules", "localtime", "Factory", "posix/UTC", "right/UTC", "tzdata.zi", "zone.tab", "../zoneinfo/UTC", "/UTC",
                           "Europe", "Europe/", "europe/bucharest", "Europe/Bucharest ", "R", "Z", "L"}) {
    EXPECT_FALSE(IsTimeZoneName(name)) << name;
  }
}

TEST(TimeZones, EveryFileOfARegionIsAName) {
  const std::filesystem::path folder = "/usr/share/zoneinfo";
  size_t names = 0;
  for (const char* area : {"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "Etc"}) {
    std::error_code none;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder / area, none)) {
      if (file.is_directory()) continue;
      const std::string name = std::filesystem::relative(file.path(), folder).string();
      EXPECT_TRUE(IsTimeZoneName(name)) << name;
      ++names;
    }
  }
  EXPECT_GT(names, 300U);
}

}  // namespace
}  // namespace consent::wire
