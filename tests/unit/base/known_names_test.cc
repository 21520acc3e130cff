#include "daemon/base/known_names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace consent::base {
namespace {

TEST(KnownNamesTest, AsksForTheNearestAndSaysWhichThereAre) {
  constexpr std::string_view controls[] = {"help_improve", "messages_improve"};
  EXPECT_EQ(KnownNames("help_improv", controls), "did you mean help_improve? There are help_improve, messages_improve");
  EXPECT_EQ(KnownNames("sell", controls), "there are help_improve, messages_improve");
  EXPECT_EQ(KnownNames("help_improv", {}), "there is none");
}

TEST(KnownNamesTest, IsBoundedAndCountsWhatIsLeftOut) {
  for (size_t count = 1; count <= 64; ++count) {
    for (const size_t length : {1U, 7U, 40U, 64U}) {
      std::vector<std::string> names;
      for (size_t i = 0; i < count; ++i) names.emplace_back(length, static_cast<char>('a' + i % 26));
      const std::vector<std::string_view> known(names.begin(), names.end());
      for (const std::string& given : {names[0], std::string("?")}) {
        const std::string text = KnownNames(given, known);
        EXPECT_LE(text.size(), kMaxKnownNamesBytes) << count << " names of " << length;
        size_t told = 0;
        for (size_t at = text.find(", "); at != std::string::npos; at = text.find(", ", at + 1)) ++told;
        const std::string more = " and " + std::to_string(count - told - 1) + " more";
        EXPECT_EQ(text.find(more) != std::string::npos, told + 1 < count) << text;
      }
    }
  }
}

TEST(KnownNamesTest, NeverSaysWhatWasGiven) {
  constexpr std::string_view controls[] = {"help_improve"};
  EXPECT_EQ(KnownNames("help-improve-S3CRET", controls).find("S3CRET"), std::string::npos);
}

}  // namespace
}  // namespace consent::base
