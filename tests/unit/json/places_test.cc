// Where in a file something stands.
#include "daemon/json/places.h"

#include <gtest/gtest.h>

#include <string>

namespace consent::json {
namespace {

constexpr char kFile[] =
    "{\n"
    "  \"version\": \"v1\",\n"
    "  \"regimes\": [\n"
    "    {\"name\": \"é\\\"a\", \"defaultRule\": \"X\", \"regions\": [\"DE\", \"FR\"]},\n"
    "    {\"name\": \"b\"}\n"
    "  ],\n"
    "  \"ages_of_consent\": {\"DE\": 16, \"FR\":\n 15}\n"
    "}\n";

TEST(Places, ValuesAreFoundByThePathsOfProblems) {
  const Places places(kFile);
  EXPECT_EQ(places.Find("version"), (LineColumn{2, 14}));
  EXPECT_EQ(places.Find("regimes"), (LineColumn{3, 14}));
  EXPECT_EQ(places.Find("regimes[0].name"), (LineColumn{4, 14}));
  EXPECT_EQ(places.Find("regimes[0].default_rule"), (LineColumn{4, 37})) << "a character of two bytes is one column";
  EXPECT_EQ(places.Find("regimes[0].defaultRule"), (LineColumn{4, 37})) << "both spellings";
  EXPECT_EQ(places.Find("regimes[0].regions[1]"), (LineColumn{4, 60}));
  EXPECT_EQ(places.Find("regimes[1]"), (LineColumn{5, 5}));
  EXPECT_EQ(places.Find("ages_of_consent[\"FR\"]"), (LineColumn{8, 2}));
}

TEST(Places, WhatIsNotThereIsWhereItWouldStand) {
  const Places places(kFile);
  EXPECT_EQ(places.Find("regimes[1].regions[3]"), (LineColumn{5, 5}));
  EXPECT_EQ(places.Find("regimes[7].name"), (LineColumn{3, 14}));
  EXPECT_EQ(places.Find("controls"), (LineColumn{1, 1}));
  EXPECT_EQ(places.Find(""), (LineColumn{1, 1}));
}

// Whatever it is given, it ends, and knows what it read until then.
TEST(Places, BrokenFiles) {
  const std::string whole = kFile;
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string part = whole.substr(0, size);
    const LineColumn found = Places(part).Find("regimes[0].default_rule");
    const bool is_there = size > whole.find("\"X\"");
    EXPECT_EQ(found == (LineColumn{4, 37}), is_there) << size;
  }
  EXPECT_EQ(Places(std::string(100'000, '[')).Find("a[0]"), (LineColumn{1, 1}));
  EXPECT_EQ(Places("{\"a\": \"\\").Find("a"), (LineColumn{1, 7}));
}

TEST(Places, OfAByte) {
  EXPECT_EQ(LineColumnAt("a\nbc", 0), (LineColumn{1, 1}));
  EXPECT_EQ(LineColumnAt("a\nbc", 3), (LineColumn{2, 2}));
  EXPECT_EQ(LineColumnAt("a\nbc", 99), (LineColumn{2, 3}));
}

}  // namespace
}  // namespace consent::json
