// What was played under review grants, against the grants on record.
#include "client/cli/engines/heard_grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeClient;
using ::testing::IsEmpty;
using ::testing::Pair;

const Time kGiven = std::chrono::sys_days(std::chrono::year(2026) / 10 / 3);
const Time kExpires = kGiven + minutes(30);
const std::chrono::microseconds kTick(1);

class HeardGrantsTest : public ::testing::Test {
 protected:
  HeardGrantsTest() {
    client_.on_list_grants = [this](const GrantQuery& query) { return List(query); };
  }

  GrantPage List(const GrantQuery& query) {
    asked_.push_back(query.grant_ids.size());
    GrantPage page;
    for (const std::string& id : query.grant_ids) {
      const auto known = redeems_.find(id);
      if (known == redeems_.end()) continue;
      GrantShown grant;
      grant.grant_id = id;
      grant.given_at = kGiven;
      grant.expires_at = kExpires;
      grant.opens = known->second + 1;
      grant.redeems = known->second;
      grant.offline_opens = offline_opens_[id];
      page.grants.push_back(grant);
    }
    return page;
  }
  // Line by line: which grant was played, and when.
  std::vector<std::pair<uint64_t, HeardProblem>> Check(const std::vector<std::pair<std::string, Time>>& played,
                                                       seconds skew = seconds(0)) {
    HeardGrants heard(skew);
    for (size_t i = 0; i < played.size(); ++i) heard.Add(played[i].first, i + 1, played[i].second);
    std::vector<std::pair<uint64_t, HeardProblem>> told;
    const absl::Status checked =
        heard.Check({&client_}, [&told](uint64_t line, HeardProblem problem, const std::string& why) {
          EXPECT_FALSE(why.empty());
          EXPECT_EQ(why.find("grant-"), std::string::npos) << "no id in what is told";
          told.emplace_back(line, problem);
        });
    EXPECT_TRUE(checked.ok()) << checked;
    return told;
  }

  FakeClient client_;
  std::map<std::string, uint32_t> redeems_ = {{"grant-1", 1}, {"grant-2", 2}, {"grant-0", 0}};
  std::map<std::string, uint32_t> offline_opens_;
  std::vector<size_t> asked_;
};

TEST_F(HeardGrantsTest, EachPlayNeedsAGrantOfItsTimeAndBytesThatWereGivenOut) {
  EXPECT_THAT(Check({{"grant-1", kGiven}, {"grant-2", kGiven + minutes(1)}, {"grant-2", kExpires}}), IsEmpty());
  EXPECT_THAT(Check({{"grant-9", kGiven}, {"grant-1", kGiven}}), ElementsAre(Pair(1, HeardProblem::kWithoutGrant)));
  EXPECT_THAT(Check({{"grant-0", kGiven + minutes(1)}}), ElementsAre(Pair(1, HeardProblem::kTooOften)))
      << "it was opened, and no bytes were given out";
}

TEST_F(HeardGrantsTest, WhatWasOpenedForADataSystemThatCannotCallIsGivenOutEachTime) {
  const Time at = kGiven + minutes(1);
  offline_opens_ = {{"grant-0", 2}, {"grant-1", 1}};
  EXPECT_THAT(Check({{"grant-0", at}, {"grant-1", at}, {"grant-0", at}, {"grant-1", at}}), IsEmpty());
  EXPECT_THAT(Check({{"grant-0", at}, {"grant-0", at}, {"grant-0", at}}),
              ElementsAre(Pair(3, HeardProblem::kTooOften)));
}

TEST_F(HeardGrantsTest, WhatIsPlayedTwiceIsNamedByItsLaterLine) {
  const Time at = kGiven + minutes(1);
  EXPECT_THAT(Check({{"grant-1", at}, {"grant-2", at}, {"grant-1", at}, {"grant-2", at}, {"grant-2", at}}),
              ElementsAre(Pair(3, HeardProblem::kTooOften), Pair(5, HeardProblem::kTooOften)));
}

TEST_F(HeardGrantsTest, AGrantsTimeIsFromItsBeginningToItsLastToken) {
  const Time last = kExpires + kMediaTokenLife;
  EXPECT_THAT(Check({{"grant-2", kGiven}, {"grant-2", last}}), IsEmpty());
  EXPECT_THAT(Check({{"grant-2", kGiven - kTick}, {"grant-2", last + kTick}}),
              ElementsAre(Pair(1, HeardProblem::kOutOfTime), Pair(2, HeardProblem::kOutOfTime)));
  EXPECT_THAT(Check({{"grant-2", kGiven - seconds(5)}, {"grant-2", last + seconds(5)}}, seconds(5)), IsEmpty());
  EXPECT_THAT(Check({{"grant-1", kGiven - kTick}, {"grant-1", kGiven}}), ElementsAre(Pair(1, HeardProblem::kOutOfTime)))
      << "what is out of time takes no other line's place";
}

TEST_F(HeardGrantsTest, GrantsAreAskedForAHundredAtATimeAndEachOnce) {
  std::vector<std::pair<std::string, Time>> played;
  for (int i = 0; i < 250; ++i) played.emplace_back("other-" + std::to_string(i), kGiven);
  for (int i = 0; i < 50; ++i) played.emplace_back("other-0", kGiven);
  EXPECT_EQ(Check(played).size(), 300U);
  EXPECT_THAT(asked_, ElementsAre(100, 100, 50));
}

TEST_F(HeardGrantsTest, AGrantIsLookedForAtEachDaemon) {
  FakeClient other;
  other.on_list_grants = client_.on_list_grants;
  client_.on_list_grants = [](const GrantQuery&) { return GrantPage(); };
  HeardGrants heard(seconds(0));
  heard.Add("grant-1", 1, kGiven);
  const auto none = [](uint64_t line, HeardProblem, const std::string& why) { ADD_FAILURE() << line << ": " << why; };
  EXPECT_TRUE(heard.Check({&client_, &other}, none).ok());
  client_.on_list_grants = [](const GrantQuery&) -> absl::StatusOr<GrantPage> {
    return absl::PermissionDeniedError("not an officer");
  };
  EXPECT_EQ(heard.Check({&client_}, none).code(), absl::StatusCode::kOk) << "it is known already";
  HeardGrants fresh(seconds(0));
  fresh.Add("grant-1", 1, kGiven);
  EXPECT_EQ(fresh.Check({&client_}, none).code(), absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace consent::cli
