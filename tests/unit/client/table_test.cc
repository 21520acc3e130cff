// Tables on terminals of any width, and as lines.
#include "client/cli/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "client/cli/terminal.h"

namespace consent::cli {
namespace {

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What is left of a text when what layout adds is taken out.
std::string Letters(const std::string& text) {
  std::string letters;
  for (const char c : text) {
    if (c != ' ' && c != '\n') letters += c;
  }
  return letters;
}

TEST(TableTest, ColumnsStandInLine) {
  Table table("t", {"A", "LONGER"});
  table.Add({"äöü", "x"});
  table.Add({"b", "tab\there"});
  EXPECT_EQ(table.ForTerminal(), "A    LONGER\näöü  x\nb    tab\\x09here\n\n");
  EXPECT_EQ(table.ForTerminal({SIZE_MAX, false, false}), "äöü  x\nb    tab\\x09here\n\n");
  EXPECT_EQ(table.Plain(true), "#t\tA\tLONGER\nt\täöü\tx\nt\tb\ttab\\x09here\n");
  EXPECT_EQ(table.Plain(false), "t\täöü\tx\nt\tb\ttab\\x09here\n");
  EXPECT_EQ(Table("t", {"A"}).ForTerminal(), "");
  EXPECT_EQ(Table("t", {"A"}).Plain(true), "");
}

TEST(TableTest, WideCharactersTakeTwoColumnsAndCombiningOnesNone) {
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(DisplayWidth("ｗ"), 2u);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u);
  EXPECT_EQ(DisplayWidth("😀"), 2u);
  EXPECT_EQ(DisplayWidth("äöü…"), 4u);
  Table table("t", {"A", "B"});
  table.Add({"日本", "x"});
  table.Add({"e\xcc\x81", "y"});
  EXPECT_EQ(table.ForTerminal(), "A     B\n日本  x\ne\xcc\x81     y\n\n");
}

TEST(TableTest, TimesAreShownToTheSecondAndNamesAsTheyAre) {
  Table table("t", {"RECORDING", "RECEIVED"});
  table.Add({"2026-01-01T00:00:00.123456Z", "since 2026-01-01T00:00:00.123456Z, or 2026-01-01T00:00:00Z"});
  EXPECT_EQ(Lines(table.ForTerminal())[1],
            "2026-01-01T00:00:00.123456Z  since 2026-01-01T00:00:00Z, or 2026-01-01T00:00:00Z");
  EXPECT_NE(table.Plain(false).find("since 2026-01-01T00:00:00.123456Z"), std::string::npos)
      << "programs get all that there is";
}

TEST(TableTest, WordsAreWrappedBeforeNamesAreTouched) {
  Table table("t", {"ACCOUNT", "WHY", "ETAG"});
  table.Add({"ann-of-the-first-floor", "the daemon said so, and it was right about it", "0123456789abcdef"});
  EXPECT_EQ(table.ForTerminal({60, false, true}),
            "ACCOUNT                 WHY                 ETAG\n"
            "ann-of-the-first-floor  the daemon said     0123456789abcdef\n"
            "                        so, and it was\n"
            "                        right about it\n\n");
  EXPECT_EQ(table.ForTerminal({31, false, true}),
            "ACCOUNT  ann-of-the-first-floor\n"
            "WHY      the daemon said so,\n"
            "         and it was right about\n"
            "         it\n"
            "ETAG     0123456789abcdef\n\n")
      << "no column is left for words, so each row becomes lines";
}

TEST(TableTest, EmptyColumnsMakeRoom) {
  Table table("t", {"ACCOUNT", "A HEADER OF NOTHING", "STATE"});
  table.Add({"ann", "", "OPEN"});
  EXPECT_EQ(table.ForTerminal({40, false, true}),
            "ACCOUNT  A HEADER OF NOTHING  STATE\nann                           OPEN\n\n");
  EXPECT_EQ(table.ForTerminal({20, false, true}), "ACCOUNT  STATE\nann      OPEN\n\n");
  EXPECT_EQ(Table("t", {"A"}).ForTerminal({1, false, true}), "");
}

TEST(TableTest, ColourIsOnlyAddedWhereItMayBe) {
  Table table("status", {"", "WHAT"});
  table.Add({"!", "disk"});
  table.Add({"", "clock"});
  EXPECT_EQ(table.ForTerminal({80, true, true}), "\033[1m   WHAT\033[0m\n\033[1;31m!  disk\033[0m\n   clock\n\n");
  EXPECT_EQ(table.ForTerminal({80, false, true}).find('\033'), std::string::npos);
}

// Any table at any width: no line is wider, and every character is still there.
TEST(TableTest, NothingIsWiderThanTheTerminalAndNothingIsCut) {
  std::mt19937 random(20261129);
  const std::vector<std::string> headers = {"ACCOUNT", "ETAG", "WHY", "CONFIRMATION OVERDUE", "N", "SHA-256", "STATE"};
  const std::vector<std::string> words = {"a",
                                          "recording",
                                          "日本語の文",
                                          "e\xcc\x81t\xc3\xa9",
                                          "IN_PROGRESS,",
                                          "x,y,z",
                                          "because",
                                          "0123456789abcdef0123456789abcdef0123456789abcdef"};
  for (int round = 0; round < 400; ++round) {
    const size_t columns = 1 + random() % headers.size();
    std::vector<std::string> names;
    for (size_t i = 0; i < columns; ++i) names.push_back(headers[random() % headers.size()]);
    Table table("t", names);
    std::string letters;
    for (size_t row = 0; row < 1 + random() % 3; ++row) {
      std::vector<std::string> cells;
      for (size_t i = 0; i < columns; ++i) {
        std::string cell;
        for (size_t n = random() % 8; n > 0; --n) cell += (cell.empty() ? "" : " ") + words[random() % words.size()];
        cells.push_back(cell);
        letters += Letters(cell);
      }
      table.Add(cells);
    }
    for (const size_t width : {40u, 80u, 120u, 200u}) {
      std::string text = table.ForTerminal({width, false, false});
      for (const std::string& line : Lines(text))
        EXPECT_LE(DisplayWidth(line), width) << "round " << round << "\n" << text;
      std::string shown = Letters(text);
      // Rows that became lines repeat the headers, and wrapped columns interleave cells: the same characters are there.
      std::string missing = letters;
      std::sort(missing.begin(), missing.end());
      std::sort(shown.begin(), shown.end());
      EXPECT_TRUE(std::includes(shown.begin(), shown.end(), missing.begin(), missing.end()))
          << "round " << round << ", " << width << " columns\n"
          << text;
    }
  }
}

TEST(WrapTest, BreaksAtBlanksAndBehindCommas) {
  EXPECT_EQ(WrapText("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(WrapText("a,b,c", 3), (std::vector<std::string>{"a,", "b,c"}));
  EXPECT_EQ(WrapText("abcdefgh", 3), (std::vector<std::string>{"abc", "def", "gh"}));
  EXPECT_EQ(WrapText("", 3), (std::vector<std::string>{""}));
  EXPECT_EQ(WrapText("a\nb", 3), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(WrapText("日本語", 1), (std::vector<std::string>{"日", "本", "語"})) << "ends, however narrow";
}

}  // namespace
}  // namespace consent::cli
