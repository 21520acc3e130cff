// Which text somebody is shown, and what a consent's evidence says of it.
#include "daemon/domain/texts.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/domain/small_world.h"

namespace consent::domain::texts_test {
namespace {

std::string Chosen(const std::vector<std::string_view>& languages, std::string_view asked) {
  const size_t place = ChooseLanguage(languages, asked);
  return place < languages.size() ? std::string(languages[place]) : "none";
}

// RFC 4647 section 3.4, its own example included.
TEST(Language, IsLookedUpFromTheTagToItsBeginningThenEnglishThenTheFirst) {
  const std::vector<std::string_view> some = {"fr", "de", "en", "zh-Hant", "de-CH"};
  EXPECT_EQ(Chosen(some, "de"), "de");
  EXPECT_EQ(Chosen(some, "DE"), "de") << "tags have no case";
  EXPECT_EQ(Chosen(some, "de-AT"), "de");
  EXPECT_EQ(Chosen(some, "de-ch-1996"), "de-CH");
  EXPECT_EQ(Chosen(some, "zh-Hant-CN-x-private1-private2"), "zh-Hant") << "the example of the RFC";
  EXPECT_EQ(Chosen(some, "zh"), "en") << "a range never finds what says more";
  EXPECT_EQ(Chosen(some, "nl"), "en");
  EXPECT_EQ(Chosen(some, ""), "en");
  EXPECT_EQ(Chosen(some, "-"), "en");
  EXPECT_EQ(Chosen(some, "d"), "en");
  EXPECT_EQ(Chosen({"fr", "de"}, "nl"), "fr");
  EXPECT_EQ(Chosen({}, "de"), "none");
}

// Written from the RFC alone: every prefix of whole subtags that does not end with a single character, longest first.
std::string ByTheBook(const std::vector<std::string_view>& languages, const std::string& asked) {
  std::vector<std::string> subtags(1);
  for (const char c : asked) {
    if (c == '-') {
      subtags.emplace_back();
    } else {
      subtags.back() += c;
    }
  }
  for (size_t count = subtags.size(); count > 0; --count) {
    if (count < subtags.size() && subtags[count - 1].size() == 1) continue;
    std::string range;
    for (size_t i = 0; i < count; ++i) range += (i == 0 ? "" : "-") + subtags[i];
    for (const std::string_view language : languages) {
      if (language == range) return std::string(language);
    }
  }
  for (const std::string_view language : languages) {
    if (language == "en") return "en";
  }
  return std::string(languages.front());
}

TEST(Language, IsThatOfAnIndependentReadingOfTheRfc) {
  const std::string_view subtags[] = {"de", "en", "x", "ch", "hant", "1996"};
  const std::vector<std::string_view> sets[] = {{"de", "en"}, {"en-ch", "de-ch-1996"}, {"de-x-ch", "de-hant"}, {"ch"}};
  for (int n = 1; n < 6 * 6 * 6 * 6; ++n) {
    std::string asked;
    for (int rest = n; rest > 0; rest /= 6) {
      asked += asked.empty() ? "" : "-";
      asked += subtags[rest % 6];
    }
    for (const auto& languages : sets) EXPECT_EQ(Chosen(languages, asked), ByTheBook(languages, asked)) << asked;
  }
}

Rules WithTexts() {
  Rules rules = SmallRules();
  for (Notice& notice : rules.notices) {
    notice.texts = {MakeText("en", notice.version, "English"), MakeText("de", notice.version, "Deutsch")};
  }
  for (Control& control : rules.controls) {
    control.texts = {MakeText("de", control.name, "deutsch"), MakeText("en", control.name, "english")};
  }
  return rules;
}

TEST(Shown, IsTheNoticeAndEachControlThatIsTurnedOnInTheLanguageOfTheEvidence) {
  SmallWorld world(WithTexts());
  world.Register("DE");
  Command command = On(world, Account(), ControlNamed("improve"));
  command.choices.push_back({Account(), ControlNamed("messages"), true});
  command.choices.push_back({Profile(1), ControlNamed("improve"), true});
  command.choices.push_back({Account(), PurposeOf(Purpose::kVoiceIdentification), true});
  const std::vector<ShownText> shown = ShownBy(command, world.rules);
  ASSERT_EQ(shown.size(), 3U) << "each once";
  EXPECT_EQ(shown[0], (ShownText{ShownKind::kNotice, "n1", "en", HashOfText("n1", "English")}));
  EXPECT_EQ(shown[1], (ShownText{ShownKind::kControl, "improve", "en", HashOfText("improve", "english")}));
  EXPECT_EQ(shown[2].name, "messages");
  for (const ShownText& one : shown) {
    const Text* text = FindShown(one, world.rules);
    ASSERT_NE(text, nullptr);
    EXPECT_EQ(text->sha256, one.sha256);
  }
  command.proof.notice_language = "de";
  EXPECT_EQ(ShownBy(command, world.rules)[0].sha256, HashOfText("n1", "Deutsch"));
}

TEST(Shown, IsNothingWhereNothingIsTurnedOn) {
  SmallWorld world(WithTexts());
  world.Register("DE");
  EXPECT_TRUE(ShownBy(Off(Account(), ControlNamed("improve")), world.rules).empty());
  Command off_with_evidence = On(world, Account(), ControlNamed("improve"));
  off_with_evidence.choices[0].on = false;
  EXPECT_TRUE(ShownBy(off_with_evidence, world.rules).empty());
  Command unreadable = On(world, Account(), ControlNamed("improve"));
  unreadable.choices[0].unreadable = "it is";
  EXPECT_TRUE(ShownBy(unreadable, world.rules).empty());
  Command unknown = On(world, Account(), ControlNamed("improve"));
  unknown.proof.notice_version = "none";
  EXPECT_TRUE(ShownBy(unknown, world.rules).empty());
}

TEST(Shown, OfAnImportIsTheNoticeAlone) {
  SmallWorld world(WithTexts());
  Command import = Import(world);
  import.choices.push_back({Account(), ControlNamed("improve"), true});
  const std::vector<ShownText> shown = ShownBy(import, world.rules);
  ASSERT_EQ(shown.size(), 1U) << "nobody here knows what the toggle said elsewhere";
  EXPECT_EQ(shown[0].kind, ShownKind::kNotice);
}

TEST(Shown, AnotherTextOfTheSameNameIsNotFound) {
  Rules rules = WithTexts();
  const ShownText shown{ShownKind::kControl, "improve", "en", HashOfText("improve", "english")};
  ASSERT_NE(FindShown(shown, rules), nullptr);
  for (Control& control : rules.controls) control.texts = {MakeText("en", control.name, "changed since")};
  EXPECT_EQ(FindShown(shown, rules), nullptr);
  EXPECT_EQ(FindShown({ShownKind::kNotice, "improve", "en", shown.sha256}, rules), nullptr);
}

}  // namespace
}  // namespace consent::domain::texts_test
