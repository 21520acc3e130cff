// The exit codes: one table, and the help, the README and the commands agree with it.
#include "client/cli/exit_codes.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "consent/names.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli::exit_codes_test {
namespace {

using testing::FakeClock;

TEST(ExitCodesTest, NoCodeIsOneThatShellsWrappersAndCrashesGive) {
  int before = -1;
  for (const ExitCodeMeaning& row : kExitCodes) {
    EXPECT_TRUE(row.code == 0 || (row.code >= 10 && row.code <= 63) || (row.code >= 64 && row.code <= 78)) << row.code;
    EXPECT_GT(row.code, before) << "ascending, and none twice";
    before = row.code;
  }
}

TEST(ExitCodesTest, TheHelpListsAll) {
  const std::string help = ExitCodesHelp(SIZE_MAX);
  for (const ExitCodeMeaning& row : kExitCodes) {
    EXPECT_NE(help.find(std::to_string(row.code) + "  " + row.meaning + "\n"), std::string::npos) << row.code;
  }
}

TEST(ExitCodesTest, TheReadmeListsTheSame) {
  std::ifstream file(std::string(CONSENT_SOURCE_DIR) + "/client/cli/README.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string readme = text.str();
  const size_t begin = readme.find("## Exit codes");
  ASSERT_NE(begin, std::string::npos);
  std::istringstream section(readme.substr(begin, readme.find("\n## ", begin + 1) - begin));
  std::vector<std::string> rows;
  for (std::string line; std::getline(section, line);) {
    if (std::regex_search(line, std::regex(R"(^\| \d)"))) rows.push_back(line);
  }
  std::vector<std::string> expected;
  for (const ExitCodeMeaning& row : kExitCodes) {
    expected.push_back("| " + std::to_string(row.code) + " | " + row.meaning + " |");
  }
  EXPECT_EQ(rows, expected);
}

// Every answer that a daemon can give, fresh and not.
TEST(ExitCodesTest, OnlyAFreshYesIsZeroAndOnlyAPurgeIsAPurge) {
  const auto clock = std::make_shared<FakeClock>();
  for (const bool fresh : {true, false}) {
    for (int eligibility = 0; eligibility <= 3; ++eligibility) {
      for (int disposition = 0; disposition <= 4; ++disposition) {
        ReceivedDecision decision = testing::Yes(Purpose::kHumanReview, *clock);
        decision.eligibility = FromNumber<Eligibility>(eligibility);
        decision.disposition = FromNumber<Disposition>(disposition);
        if (decision.eligibility != Eligibility::kEligible) decision.reasons = {Reason::kLegalHold};
        if (!fresh) decision.good_until = decision.checked_at;
        const Answer answer = AnswerMaker::Received(decision, clock);
        const std::string what =
            std::to_string(fresh) + " " + std::to_string(eligibility) + " " + std::to_string(disposition);
        const bool yes =
            decision.eligibility == Eligibility::kEligible && decision.disposition == Disposition::kKeep && fresh;
        const int use = CodeForUse(answer, Purpose::kHumanReview);
        EXPECT_EQ(use == kDone, yes) << what;
        EXPECT_EQ(use == kNotEligible, decision.eligibility == Eligibility::kNotEligible) << what;
        if (!answer.error().ok()) continue;
        constexpr ExitCode kExpected[] = {kNoAnswer, kKeep, kPurge, kHold, kNoAnswer};
        EXPECT_EQ(CodeForDisposition(answer), kExpected[disposition]) << what;
      }
    }
  }
  EXPECT_EQ(CodeForUse(Answer(), Purpose::kHumanReview), kNoAnswer);
  EXPECT_EQ(CodeForDisposition(Answer()), kNoAnswer);
}

}  // namespace
}  // namespace consent::cli::exit_codes_test
