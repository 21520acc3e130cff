// Which name was meant, against a second implementation of the distance, written from its definition.
#include "daemon/base/nearest_name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/model/dice.h"

namespace consent::base {
namespace {

constexpr std::string_view kControls[] = {"help_improve", "messages_improve", "voice_id"};
constexpr std::string_view kPurposes[] = {"HUMAN_REVIEW", "MODEL_TRAINING", "FEATURE_DEVELOPMENT"};

std::string Near(std::string_view given, absl::Span<const std::string_view> known) {
  return std::string(NearestName(given, known).value_or("nothing"));
}

TEST(NearestNameTest, FindsWhatWasMistyped) {
  EXPECT_EQ(Near("help_improv", kControls), "help_improve") << "a byte is missing";
  EXPECT_EQ(Near("help_improvee", kControls), "help_improve") << "one too many";
  EXPECT_EQ(Near("help_imprive", kControls), "help_improve") << "a wrong one";
  EXPECT_EQ(Near("hepl_improve", kControls), "help_improve") << "two swapped";
  EXPECT_EQ(Near("Help-Improve", kControls), "help_improve") << "capitals and dashes";
  EXPECT_EQ(Near("mesages_improve", kControls), "messages_improve");
  EXPECT_EQ(Near("human-reveiw", kPurposes), "HUMAN_REVIEW");
  EXPECT_EQ(Near("HUMAN", kPurposes), "HUMAN_REVIEW") << "it begins so";
  constexpr std::string_view keys[] = {"wake", "kind"};
  EXPECT_EQ(Near("wak", keys), "wake");
}

TEST(NearestNameTest, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(Near("", kControls), "nothing");
  EXPECT_EQ(Near("he", kControls), "nothing") << "two bytes begin too much";
  EXPECT_EQ(Near("advertising", kControls), "nothing");
  EXPECT_EQ(Near("improve", kControls), "nothing") << "five of twelve bytes are missing";
  EXPECT_EQ(Near("help_improve", {}), "nothing");
  EXPECT_EQ(Near(std::string(kMaxNearBytes + 1, 'a'), kControls), "nothing");
  const std::string_view long_name = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmn";
  ASSERT_GT(long_name.size(), kMaxNearBytes);
  EXPECT_EQ(Near("abcdefg", {&long_name, 1}), "nothing");
  constexpr std::string_view two[] = {"DE", "", "FR"};
  EXPECT_EQ(Near("DR", two), "nothing") << "one of two bytes is no third";
}

TEST(NearestNameTest, TakesTheNearestAndOfSeveralTheFirst) {
  constexpr std::string_view names[] = {"settings", "sweep", "status", "systems"};
  EXPECT_EQ(Near("sytems", names), "systems");
  EXPECT_EQ(Near("stauts", names), "status");
  constexpr std::string_view alike[] = {"2026-01", "2026-02"};
  EXPECT_EQ(Near("2026-03", alike), "2026-01");
  EXPECT_EQ(Near("2026-02", alike), "2026-02") << "the very name";
  constexpr std::string_view begun[] = {"request-reports", "requests"};
  EXPECT_EQ(Near("request", begun), "requests") << "both begin so, and one is nearer";
}

// The definition, by recursion on what is left of both.
size_t Distance(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return std::max(a.size(), b.size());
  size_t least = std::min(Distance(a.substr(1), b), Distance(a, b.substr(1))) + 1;
  least = std::min(least, Distance(a.substr(1), b.substr(1)) + (a[0] == b[0] ? 0 : 1));
  if (a.size() > 1 && b.size() > 1 && a[0] == b[1] && a[1] == b[0]) {
    least = std::min(least, Distance(a.substr(2), b.substr(2)) + 1);
  }
  return least;
}

std::string Word(model::Dice& dice) {
  std::string word;
  for (uint64_t left = dice.Below(7); left > 0; --left) word += static_cast<char>('a' + dice.Below(3));
  return word;
}

TEST(NearestNameTest, AgreesWithTheDefinition) {
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    model::Dice dice(seed);
    const std::string given = Word(dice);
    std::vector<std::string> words;
    for (int i = 0; i < 3; ++i) words.push_back(Word(dice));
    std::optional<std::string> meant;
    size_t fewest = SIZE_MAX;
    for (const std::string& word : words) {
      const size_t distance = Distance(given, word);
      const bool begins = given.size() >= 3 && word.compare(0, given.size(), given) == 0;
      const bool near =
          !given.empty() && !word.empty() && (begins || distance * 3 <= std::max(given.size(), word.size()));
      if (!near || distance >= fewest) continue;
      meant = word;
      fewest = distance;
    }
    const std::vector<std::string_view> known(words.begin(), words.end());
    EXPECT_EQ(Near(given, known), meant.value_or("nothing")) << "seed " << seed << " " << given;
  }
}

}  // namespace
}  // namespace consent::base
