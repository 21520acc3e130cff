// What people are shown: marks, what a valid policy must say, where a file lacks it, and that no text changes.
#include "daemon/policy/texts.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/policy/compare.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy::texts_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Marks, AreReadAndNotShown) {
  struct Case {
    const char* sentence;
    const char* shown;
    int marks;
    const char* problem;
    size_t at;
  };
  const Case cases[] = {
      {"", "", 0, "", 0},
      {"Nobody listens.", "Nobody listens.", 0, "", 0},
      {"[[People listen]] here.", "People listen here.", 1, "", 0},
      {"Here [[people listen]]", "Here people listen", 1, "", 0},
      {"[[a]][[b]] [[c]]", "ab c", 3, "", 0},
      {"one [bracket] and ] or [", "one [bracket] and ] or [", 0, "", 0},
      {"[[\xC3\xA4]]", "\xC3\xA4", 1, "", 0},
      {"[[people listen", nullptr, 0, "does not close", 0},
      {"so: [[people listen", nullptr, 0, "does not close", 4},
      {"people listen]]", nullptr, 0, "has not opened", 13},
      {"a ]] b [[c]]", nullptr, 0, "has not opened", 2},
      {"[[a]] ]]", nullptr, 0, "has not opened", 6},
      {"x [[a [[b]] c]]", nullptr, 0, "within a mark", 2},
      {"[[]]", nullptr, 0, "no word", 0},
      {"[[ 12 .]]", nullptr, 0, "no word", 0},
  };
  for (const Case& c : cases) {
    const MarkedSentence read = ReadMarks(c.sentence);
    if (c.shown == nullptr) {
      EXPECT_THAT(read.problem, HasSubstr(c.problem)) << c.sentence;
      EXPECT_EQ(read.problem_at, c.at) << c.sentence;
    } else {
      EXPECT_EQ(read.problem, "") << c.sentence;
      EXPECT_EQ(read.shown, c.shown) << c.sentence;
      EXPECT_EQ(read.marks, c.marks) << c.sentence;
    }
  }
}

// Independent of ReadMarks: what people see has no bracket of a mark, whatever was written, or is refused.
TEST(Marks, NoneIsEverShown) {
  const std::string pieces[] = {"[", "]", "a", " "};
  for (int n = 0; n < 4 * 4 * 4 * 4 * 4 * 4 * 4; ++n) {
    std::string sentence;
    for (int rest = n, i = 0; i < 7; ++i, rest /= 4) sentence += pieces[rest % 4];
    const MarkedSentence read = ReadMarks(sentence);
    if (!read.problem.empty()) continue;
    std::string without = sentence;
    for (int i = 0; i < read.marks; ++i) {
      const size_t open = without.find("[[");
      ASSERT_NE(open, std::string::npos) << sentence;
      const size_t close = without.find("]]", open);
      ASSERT_NE(close, std::string::npos) << sentence;
      without.erase(close, 2);
      without.erase(open, 2);
      // A bracket that was left beside another is text.
      if (read.marks > 1) break;
    }
    if (read.marks == 0) {
      EXPECT_EQ(read.shown, sentence);
    } else if (read.marks == 1) {
      EXPECT_EQ(read.shown, without) << sentence;
    }
  }
}

struct Wrong {
  const char* name;
  void (*change)(v1::Policy*);
  const char* path;
  const char* message;
};

v1::LocalizedText* ControlText(v1::Policy* policy, int control, int text) {
  return policy->mutable_controls(control)->mutable_texts(text);
}

const Wrong kWrong[] = {
    {"ControlSilentOnPeople", [](v1::Policy* p) { ControlText(p, 0, 1)->set_sentence("We improve it."); },
     "controls[0].texts[1].sentence", "people listen to what \"help_improve\" allows, and no words of it are marked"},
    {"ControlWithoutTexts", [](v1::Policy* p) { p->mutable_controls(1)->clear_texts(); }, "controls[1].texts",
     "0 entries are not within 1 to 256"},
    {"ControlLacksALanguage", [](v1::Policy* p) { p->mutable_controls(0)->mutable_texts()->RemoveLast(); },
     "controls[0].texts", "has no text in \"de\", in which notice \"n1\" asks"},
    {"LanguageTwice", [](v1::Policy* p) { ControlText(p, 0, 1)->set_language("EN"); }, "controls[0].texts[1].language",
     "already at controls[0].texts[0].language"},
    {"LanguageForm", [](v1::Policy* p) { ControlText(p, 1, 0)->set_language("e"); }, "controls[1].texts[0].language",
     "is not a well-formed BCP 47 tag"},
    {"TitleMissing", [](v1::Policy* p) { ControlText(p, 0, 0)->clear_title(); }, "controls[0].texts[0].title",
     "is missing: 1 to 256 bytes"},
    {"TitleLong", [](v1::Policy* p) { ControlText(p, 0, 0)->set_title(std::string(257, 'x')); },
     "controls[0].texts[0].title", "has 257 bytes; at most 256 are allowed"},
    {"TitleMarked", [](v1::Policy* p) { ControlText(p, 0, 0)->set_title("[[People listen]]"); },
     "controls[0].texts[0].title", "only a sentence may"},
    {"SentenceLong", [](v1::Policy* p) { ControlText(p, 1, 0)->set_sentence(std::string(4097, 'x')); },
     "controls[1].texts[0].sentence", "has 4097 bytes; at most 4096 are allowed"},
    {"SentenceLineBreak", [](v1::Policy* p) { ControlText(p, 1, 0)->set_sentence("a\nb"); },
     "controls[1].texts[0].sentence", "a line break"},
    {"SentenceTurned", [](v1::Policy* p) { ControlText(p, 1, 0)->set_sentence("a \xE2\x80\xAE b"); },
     "controls[1].texts[0].sentence", "turns the direction"},
    {"SentenceC1", [](v1::Policy* p) { ControlText(p, 1, 0)->set_sentence("a \xC2\x85 b"); },
     "controls[1].texts[0].sentence", "control character"},
    {"SentenceBlankEnd", [](v1::Policy* p) { ControlText(p, 1, 0)->set_sentence("a "); },
     "controls[1].texts[0].sentence", "blank"},
    {"MarkOpen", [](v1::Policy* p) { ControlText(p, 1, 0)->set_sentence("so [[x"); }, "controls[1].texts[0].sentence",
     "does not close, at byte 4 of the sentence"},
    {"NoticeLacksALanguage", [](v1::Policy* p) { p->mutable_notices(0)->mutable_texts()->RemoveLast(); },
     "notices[0].texts", "has no text in \"de\", which `languages` lists"},
    {"NoticeTextOfNoLanguage", [](v1::Policy* p) { p->mutable_notices(0)->mutable_languages()->RemoveLast(); },
     "notices[0].texts[1].language", "\"de\" is not among the notice's languages"},
    {"NoticeSilentOnPeople", [](v1::Policy* p) { p->mutable_notices(0)->mutable_texts(0)->set_sentence("We use it."); },
     "notices[0].texts[0].sentence", "the notice says that people listen, and no words of it are marked"},
    {"NobodyIsToldHowToAppeal", [](v1::Policy* p) { p->mutable_regimes(1)->clear_appeal_texts(); },
     "regimes[1].appeal_texts", "0 entries are not within 1 to 256"},
    {"AppealSaysNothing", [](v1::Policy* p) { p->mutable_regimes(0)->mutable_appeal_texts(0)->clear_sentence(); },
     "regimes[0].appeal_texts[0].sentence", "is missing: 1 to 1024 bytes"},
    {"AppealUrl", [](v1::Policy* p) { p->mutable_regimes(0)->mutable_appeal_texts(0)->set_url("http://example.com"); },
     "regimes[0].appeal_texts[0].url", "is not an https address"},
    {"AskAgain", [](v1::Policy* p) { p->mutable_regimes(0)->set_ask_again_after_days(3651); },
     "regimes[0].ask_again_after_days", "3651 is not within 0 to 3650"},
    {"AppealDeadlineMissing",
     [](v1::Policy* p) {
       p->mutable_regimes(0)->mutable_appeal_deadlines()->mutable_answer()->set_count(1);
       p->mutable_regimes(0)->mutable_appeal_deadlines()->mutable_answer()->set_unit(v1::PERIOD_UNIT_MONTHS);
     },
     "regimes[0].appeal_deadlines.acknowledgement", "is missing"},
};

class TextsOfAPolicy : public ::testing::TestWithParam<Wrong> {};

TEST_P(TextsOfAPolicy, AreRefusedWithPathLineAndWhatIsMissing) {
  v1::Policy policy = SamplePolicy();
  GetParam().change(&policy);
  const std::string json = ToJson(policy);
  EXPECT_THAT(ParseError(json), HasSubstr(GetParam().path + std::string(": "))) << json;
  EXPECT_THAT(ParseError(json), HasSubstr(GetParam().message));
  EXPECT_THAT(ParseError(json), HasSubstr("(line 1, column "));
}

INSTANTIATE_TEST_SUITE_P(Each, TextsOfAPolicy, ::testing::ValuesIn(kWrong),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(PolicyTexts, ReachTheRulesWithoutMarks) {
  const v1::Policy policy = SamplePolicy();
  const PolicyRow row = Activated(policy, At(1));
  const domain::Rules rules = BuildRules(row.document, row.state, {});
  const domain::Control* control = rules.FindControl("help_improve");
  ASSERT_NE(control, nullptr);
  const domain::Text* text = domain::FindText(control->texts, "DE");
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(text->language, "de");
  EXPECT_EQ(text->sentence, "People listen under help_improve, in de.");
  EXPECT_EQ(base::Hex(base::View(text->sha256)),
            base::Hex(base::View(base::Sha256("help_improve in de\nPeople listen under help_improve, in de.\n"))));
  EXPECT_EQ(rules.FindNotice("n1")->texts.size(), 2U);
  EXPECT_EQ(rules.regimes[0].appeal_texts.size(), 1U);
}

// What sha256sum says of it, so that anybody can check it.
TEST(PolicyTexts, TheHashIsThatOfTitleAndSentenceEachWithALineFeed) {
  EXPECT_EQ(base::Hex(base::View(domain::HashOfText("Title", "A sentence."))),
            "ad870dbad789fb0e9c6fa45ecae9bda1b63580707356e0dc5f3f44845a7414e6");
}

TEST(SameTexts, NoTextChangesUnderItsVersionInUseOrNot) {
  const Document before = Parsed(SamplePolicy());
  v1::Policy changed = SamplePolicy();
  changed.set_version("v2");
  changed.mutable_notices(1)->mutable_texts(0)->set_sentence("Something else.");
  const Document next = Parsed(changed);
  const absl::Status status = CheckSameTexts(before, next);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("notices[\"n2\"].texts[\"en\"] (line 1, column "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("a new text is a notice of a new version"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("n1")));

  // The title counts as well, and so does a language that is written otherwise.
  changed = SamplePolicy();
  changed.mutable_notices(0)->mutable_texts(1)->set_title("Anders");
  changed.mutable_notices(0)->mutable_texts(1)->set_language("DE");
  changed.mutable_notices(0)->set_languages(1, "DE");
  EXPECT_FALSE(CheckSameTexts(before, Parsed(changed)).ok());
}

TEST(SameTexts, LanguagesComeAndGoAndAMarkIsNotShown) {
  const Document before = Parsed(SamplePolicy());
  v1::Policy next = SamplePolicy();
  next.mutable_notices(0)->mutable_languages()->RemoveLast();
  next.mutable_notices(1)->add_languages("fr");
  next.mutable_notices(1)->mutable_texts(0)->set_sentence("People listen under [[n2]], in en.");
  next.mutable_controls(0)->mutable_texts(0)->set_sentence("[[People listen]], newly said.");
  EXPECT_TRUE(CheckSameTexts(before, Parsed(next)).ok());
}

TEST(Differences, NameEachTextAndWhatItMeans) {
  const PolicyRow before = Activated(SamplePolicy(), At(1));
  v1::Policy policy = SamplePolicy();
  policy.set_version("v2");
  policy.mutable_notices(0)->mutable_texts(0)->set_title("Other");
  policy.mutable_controls(1)->mutable_texts(0)->set_title("Other");
  policy.mutable_regimes(0)->mutable_appeal_texts(0)->set_url("https://example.com/appeal");
  policy.mutable_regimes(0)->set_ask_again_after_days(30);
  policy.mutable_regimes(1)->set_ask_again_after_days(400);
  v1::AppealDeadlines* deadlines = policy.mutable_regimes(2)->mutable_appeal_deadlines();
  deadlines->mutable_acknowledgement()->set_count(3);
  deadlines->mutable_acknowledgement()->set_unit(v1::PERIOD_UNIT_CALENDAR_DAYS);
  deadlines->mutable_answer()->set_count(1);
  deadlines->mutable_answer()->set_unit(v1::PERIOD_UNIT_MONTHS);
  std::map<std::string, DifferenceKind> kinds;
  for (const Difference& difference : Compare(before, Parsed(policy))) kinds[difference.path] = difference.kind;
  const std::map<std::string, DifferenceKind> expected = {
      {"notices[\"n1\"].texts", DifferenceKind::kBreaksStored},
      {"controls[\"train\"].texts", DifferenceKind::kNeutral},
      {"regimes[\"eea\"].appeal_texts", DifferenceKind::kNeutral},
      {"regimes[\"eea\"].ask_again_after_days", DifferenceKind::kLoosening},
      {"regimes[\"us\"].ask_again_after_days", DifferenceKind::kRestriction},
      {"regimes[\"unknown\"].appeal_deadlines.acknowledgement", DifferenceKind::kLoosening},
  };
  EXPECT_EQ(kinds, expected);
}

}  // namespace
}  // namespace consent::policy::texts_test
