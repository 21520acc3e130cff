// Names of standards, against the standards' own lists where the machine has them.
#include "daemon/domain/standards.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace consent::domain {
namespace {

Region RegionOf(const std::string& text) {
  Region region;
  EXPECT_TRUE(Region::Parse(text, &region)) << text;
  return region;
}

// Debian's iso-codes is where the table was taken from.
std::set<std::string> AssignedByIso() {
  std::ifstream file("/usr/share/iso-codes/json/iso_3166-1.json");
  std::stringstream text;
  text << file.rdbuf();
  const std::string json = text.str();
  const std::regex code("\"alpha_2\": *\"([A-Z]{2})\"");
  std::set<std::string> codes;
  for (std::sregex_iterator i(json.begin(), json.end(), code), end; i != end; ++i) codes.insert((*i)[1].str());
  return codes;
}

TEST(Standards, TheTableIsIso3166s) {
  const std::set<std::string> assigned = AssignedByIso();
  if (assigned.empty()) GTEST_SKIP() << "iso-codes is not installed";
  EXPECT_GE(assigned.size(), 240U);
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'Z'; ++b) {
      const std::string code{a, b};
      EXPECT_EQ(IsAssigned(RegionOf(code)), assigned.count(code) == 1) << code;
    }
  }
}

TEST(Standards, ASubdivisionGoesByItsCountry) {
  EXPECT_TRUE(IsAssigned(RegionOf("US-CA")));
  EXPECT_FALSE(IsAssigned(RegionOf("UK-ENG")));
  EXPECT_FALSE(IsAssigned(Region()));
  EXPECT_FALSE(IsUserAssigned(Region()));
}

TEST(Standards, WhatIsMeantIsAssigned) {
  EXPECT_EQ(WhyNotAssigned(RegionOf("UK")), "UK is not assigned by ISO 3166-1: GB is meant");
  EXPECT_EQ(CodeMeantBy(RegionOf("EL")), "GR");
  EXPECT_EQ(CodeMeantBy(RegionOf("DE")), "");
  for (const char* code : {"AN", "BU", "CS", "DD", "EL", "EN", "FX", "JA", "SU", "TP", "UK", "YU", "ZR"}) {
    EXPECT_FALSE(IsAssigned(RegionOf(code))) << code;
    EXPECT_TRUE(IsAssigned(RegionOf(std::string(CodeMeantBy(RegionOf(code)))))) << code;
  }
}

TEST(Standards, UserAssignedCodes) {
  for (const char* code : {"AA", "QM", "QZ", "XA", "XK", "XZ", "ZZ"}) {
    EXPECT_TRUE(IsUserAssigned(RegionOf(code))) << code;
  }
  for (const char* code : {"AB", "QL", "QA", "WZ", "YA", "ZY", "DE"}) {
    EXPECT_FALSE(IsUserAssigned(RegionOf(code))) << code;
  }
}

TEST(Standards, LanguageTags) {
  for (const char* tag : {"en", "de", "sgn", "en-GB", "zh-Hant-TW", "sl-rozaj-biske-1994", "de-CH-1996", "es-419",
                          "zh-cmn-Hans-CN", "de-1901", "en-a-bbb-x-a-ccc", "x-whatever", "de-DE-u-co-phonebk",
                          "qaa-Qaaa-QM-x-south", "en-US-x-twain", "aaaaaaaa"}) {
    EXPECT_TRUE(IsLanguageTag(tag)) << tag;
  }
  for (const char* tag : {"",
                          "e",
                          "-",
                          "en-",
                          "-en",
                          "en--GB",
                          "en_GB",
                          "en GB",
                          "deutsch12",
                          "de-419-DE",
                          "a-DE",
                          "ar-a-aaa-b-bbb-a-ccc",
                          "x",
                          "en-x",
                          "en-u",
                          "sl-rozaj-rozaj",
                          "de-DE-DE",
                          "123",
                          "en-GB-",
                          "i-default",
                          "\xC3\xA9n",
                          "abcdefghi",
                          "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddd"}) {
    EXPECT_FALSE(IsLanguageTag(tag)) << tag;
  }
}

}  // namespace
}  // namespace consent::domain
