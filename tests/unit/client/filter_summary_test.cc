// What filter says at its end about facts that were missing.
#include "client/cli/engines/filter_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/engines/filter_shadow.h"
#include "client/cli/render/missing_facts.h"
#include "consent/names.h"
#include "consent/shadow.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(MissingFactsTest, EachFactHasAKeyWordsAndARemedy) {
  std::set<std::string> keys;
  for (int number = 1; FromNumber<MissingFact>(number) != MissingFact::kUnset; ++number) {
    const auto fact = FromNumber<MissingFact>(number);
    EXPECT_NE(FactKey(fact), "unknown") << number;
    keys.insert(FactKey(fact));
    EXPECT_EQ(FactWords(fact).find('_'), std::string::npos) << number;
    EXPECT_EQ(FactRemedy(fact).back(), '.') << number;
    EXPECT_THAT(FactOption(fact), ::testing::AnyOf(::testing::StartsWith("--"), "consentctl subject set")) << number;
  }
  EXPECT_EQ(keys.size(), 14U);
  EXPECT_EQ(FactKey(MissingFact::kUnset), "unknown");
}

// What a remedy tells to type has to be taken.
TEST(MissingFactsTest, EachSettingOfARemedyIsTaken) {
  int settings = 0;
  for (int number = 1; FromNumber<MissingFact>(number) != MissingFact::kUnset; ++number) {
    const std::string remedy = FactRemedy(FromNumber<MissingFact>(number));
    const std::string option = "--set ";
    const size_t at = remedy.find(option);
    if (at == std::string::npos) continue;
    const std::string setting = remedy.substr(at + option.size(), remedy.find(' ', at + option.size()) - at - 6);
    const size_t equals = setting.find('=');
    ASSERT_NE(equals, std::string::npos) << remedy;
    EXPECT_EQ(setting.substr(0, equals), FactKey(FromNumber<MissingFact>(number)));
    EXPECT_TRUE(LineDefaults::Create({{setting.substr(0, equals), setting.substr(equals + 1)}}).ok()) << remedy;
    ++settings;
  }
  EXPECT_EQ(settings, 6);
}

FilterCounts AllLack() {
  FilterCounts counts;
  counts.lines = counts.refused = 10;
  counts.missing_facts = {{MissingFact::kWake, 10}, {MissingFact::kSpeakers, 4}};
  return counts;
}

TEST(HintsTest, WhereOneFactIsMissingInEveryLine) {
  const std::vector<std::string> hints = HintsOf(AllLack());
  ASSERT_THAT(hints, SizeIs(2));
  EXPECT_THAT(hints[0], HasSubstr("`wake`"));
  EXPECT_THAT(hints[0], HasSubstr("--set wake=BUTTON"));
  EXPECT_THAT(hints[1], HasSubstr("must be true")) << "said once, however many facts";
}

TEST(HintsTest, NoneWhereOneLinePassedOrWasRefusedForElse) {
  FilterCounts counts = AllLack();
  counts.eligible = 1;
  EXPECT_THAT(HintsOf(counts), SizeIs(0));
  counts = AllLack();
  counts.missing_facts[MissingFact::kWake] = 9;
  EXPECT_THAT(HintsOf(counts), SizeIs(0));
  EXPECT_THAT(HintsOf(FilterCounts()), SizeIs(0));
}

TEST(SummaryTest, CountsEachFact) {
  EXPECT_EQ(MissingFactsJson(AllLack()).dump(), R"({"wake":10,"speakers":4})");
  EXPECT_THAT(MissingFactsText(AllLack()), HasSubstr("  speakers                 4\n"));
  EXPECT_EQ(MissingFactsText(FilterCounts()), "");
}

TEST(AdviceTest, TextAndJsonSayThatItIsABound) {
  FactAdvice advice;
  advice.Add({Reason::kMissingFact}, FactSet({MissingFact::kSpeakers}));
  advice.Add({Reason::kMissingFact, Reason::kDeleted}, FactSet({MissingFact::kSpeakers, MissingFact::kCapturedAt}));
  const std::string text = AdviceText(advice);
  EXPECT_THAT(text, HasSubstr("at most"));
  EXPECT_THAT(text, HasSubstr("may still say no"));
  EXPECT_THAT(text, HasSubstr("and captured_at"));
  EXPECT_THAT(text, HasSubstr("surer: "));
  const Json json = AdviceJson(advice);
  EXPECT_EQ(json["steps"][0]["facts"].dump(), R"(["speakers"])");
  EXPECT_EQ(json["steps"][1]["together"].dump(), R"({"at_most":2,"nothing_else":1})");
  EXPECT_EQ(json["sets"].size(), 2U);
  EXPECT_THAT(AdviceText(FactAdvice()), HasSubstr("no missing fact"));
}

TEST(FilterShadowTest, IsOnUntilItsEndWhichIsNear) {
  const Time now{std::chrono::hours(500'000)};
  const std::chrono::microseconds tick(1);
  EXPECT_TRUE(*IsInShadow(now + tick, now, true));
  EXPECT_FALSE(*IsInShadow(now, now, true));
  EXPECT_FALSE(*IsInShadow(now - tick, now, true));
  EXPECT_TRUE(*IsInShadow(now + kLongestShadow, now, true));
  EXPECT_THAT(std::string(IsInShadow(now + kLongestShadow + tick, now, true).status().message()), HasSubstr("31 days"));
  EXPECT_THAT(std::string(IsInShadow(now + tick, now, false).status().message()), HasSubstr("--keep-ids"));
}

TEST(FilterShadowTest, TheLineThatWasBegunPassesAndNothingBehindIt) {
  const auto clock = std::make_shared<testing::FakeClock>();
  const Time now{std::chrono::hours(500'000)};
  std::string out;
  ShadowPass pass(now + std::chrono::seconds(5), now, clock, [&out](std::string_view bytes) {
    out += bytes;
    return true;
  });
  EXPECT_TRUE(pass.Take("a\nb"));
  clock->Advance(std::chrono::seconds(5) - std::chrono::nanoseconds(1));
  EXPECT_TRUE(pass.Take("b"));
  clock->Advance(std::chrono::nanoseconds(1));
  EXPECT_TRUE(pass.Take("b"));
  EXPECT_FALSE(pass.is_over());
  EXPECT_FALSE(pass.Take("b\nc\n"));
  EXPECT_TRUE(pass.is_over());
  EXPECT_EQ(out, "a\nbbbb\n");
  EXPECT_FALSE(pass.Take("d\n"));
  EXPECT_EQ(out, "a\nbbbb\n");
}

TEST(FilterShadowTest, WhereTheLastLineWasWholeNothingPassesAfterTheEnd) {
  const auto clock = std::make_shared<testing::FakeClock>();
  std::string out;
  ShadowPass pass(Time(std::chrono::seconds(1)), Time{}, clock, [&out](std::string_view bytes) {
    out += bytes;
    return true;
  });
  EXPECT_TRUE(pass.Take("a\n"));
  clock->Advance(std::chrono::seconds(1));
  EXPECT_FALSE(pass.Take("b\n"));
  EXPECT_EQ(out, "a\n");
}

}  // namespace
}  // namespace consent::cli
