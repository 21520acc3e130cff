// Time zones: their names, against the files of the machine's database, and their days.
#include "daemon/base/time_zone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace consent::base::time_zone_test {
namespace {

TEST(TimeZones, NamesAreTaken) {
  for (const char* name :
       {"Europe/Bucharest", "UTC", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "US/Pacific", "Etc/GMT+12"}) {
    EXPECT_TRUE(IsTimeZoneName(name)) << name;
  }
}

TEST(TimeZones, FilesThatAreNoNamesAreNot) {
  for (const char* name :
       {"", "posixrules", "localtime", "Factory", "posix/UTC", "right/UTC", "tzdata.zi", "zone.tab", "../zoneinfo/UTC",
        "/UTC", "Europe", "Europe/", "europe/bucharest", "Europe/Bucharest ", "R", "Z", "L"}) {
    EXPECT_FALSE(IsTimeZoneName(name)) << name;
  }
}

TEST(TimeZones, EveryFileOfARegionIsAName) {
  const std::filesystem::path folder = "/usr/share/zoneinfo";
  size_t names = 0;
  for (const char* area :
       {"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "Etc"}) {
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

Instant At(const std::string& text) {
  Instant t;
  EXPECT_TRUE(ParseRfc3339(text, &t)) << text;
  return t;
}

Date Day(const std::string& text) {
  Date day;
  EXPECT_TRUE(ParseDate(text, &day)) << text;
  return day;
}

TEST(TimeZones, DaysBeginWhereTheZoneSaysSo) {
  struct Row {
    const char* zone;
    const char* day;
    const char* first;
  };
  for (const Row& row :
       {Row{"UTC", "2026-03-29", "2026-03-29T00:00:00Z"}, Row{"Europe/Bucharest", "2026-03-29", "2026-03-28T22:00:00Z"},
        Row{"Europe/Bucharest", "2026-03-30", "2026-03-29T21:00:00Z"},
        Row{"America/Los_Angeles", "2026-01-01", "2026-01-01T08:00:00Z"},
        // The clocks skip midnight; they strike it twice; the day does not exist.
        Row{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"},
        Row{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
        Row{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"}}) {
    const auto zone = TimeZone::Load(row.zone);
    ASSERT_TRUE(zone.has_value()) << row.zone;
    const Instant first = zone->StartOf(Day(row.day));
    EXPECT_EQ(FormatRfc3339(first), row.first) << row.zone;
    EXPECT_EQ(zone->DayOf(first - Microseconds(1)), (Date{Day(row.day).days - 1})) << row.zone;
  }
  EXPECT_FALSE(TimeZone::Load("Mars/Olympus").has_value());
}

TEST(TimeZones, EveryInstantHasADay) {
  for (const TimeZone& zone : {TimeZone::Utc(), TimeZone::EastOfUtc(Hours(14)), TimeZone::EastOfUtc(Hours(-12))}) {
    for (const Instant t : {Instant{}, Instant{-1}, Instant{1}, At("2026-03-01T12:00:00Z"), kLastInstant, kEndOfTime}) {
      const Date day = zone.DayOf(t);
      EXPECT_LE(zone.StartOf(day), std::max(t, Instant{1}));
      EXPECT_GE(zone.StartOf(Date{day.days + 1}), std::min(t, kLastInstant));
    }
  }
  EXPECT_EQ(TimeZone::Utc().DayOf(At("2026-03-01T23:59:59.999999Z")), Day("2026-03-01"));
  EXPECT_EQ(TimeZone::EastOfUtc(Hours(14)).DayOf(At("2026-03-01T10:00:00Z")), Day("2026-03-02"));
  EXPECT_EQ(TimeZone::Utc().StartOf(Date{kLastDate.days + 1}), kEndOfTime);
}

}  // namespace
}  // namespace consent::base::time_zone_test
