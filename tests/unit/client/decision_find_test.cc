// What is asked of the log about one person, and about what was played, with a daemon whose handles the test makes.
#include "client/cli/engines/decision_find.h"

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/engines/played_list.h"
#include "client/cli/files.h"
#include "client/cli/lines/heard_lines.h"
#include "client/cli/render/render.h"
#include "client/lines/json_fields.h"
#include "daemon/base/hash.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using ::testing::ElementsAre;
using testing::FakeClient;
using ::testing::IsEmpty;

const Time kDecided(std::chrono::seconds(1'790'000'000));  // of all records of the example, of 2026-09

std::string Bytes(const std::string& hex) {
  std::string bytes(hex.size() / 2, '\0');
  base::FromHex(hex, bytes.data(), bytes.size());
  return bytes;
}

// The handles of FORMAT.md's example, and others for all other ids and months.
class DecisionFindTest : public ::testing::Test {
 protected:
  DecisionFindTest() {
    std::ifstream file(std::string(CONSENT_SOURCE_DIR) + "/daemon/decisions/FORMAT.md");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("{\"v\":3,")) lines_.push_back(line);
    }
    client_.on_handles = [this](const HandleQuery& query) {
      asked_.push_back(query);
      DecisionHandles handles{std::string(16, '\x5d'), {}};
      for (const std::string& month : query.months) {
        MonthHandles& of_month = handles.months.emplace_back();
        of_month.month = month + ".5e0c91d2";
        of_month.gone = month == gone_;
        if (of_month.gone) continue;
        if (!query.account_id.empty()) of_month.subject = HandleOf(query.account_id.value(), month);
        for (const auto& id : query.recording_ids) of_month.recordings.push_back(HandleOf(id.value(), month));
        for (const auto& id : query.profile_ids) of_month.profiles.push_back(HandleOf(id.value(), month));
        for (const auto& id : query.device_ids) of_month.devices.push_back(HandleOf(id.value(), month));
      }
      return handles;
    };
  }
  static std::string HandleOf(const std::string& id, const std::string& month) {
    const std::map<std::string, std::string> example = {{"ann", "672ce5a8fb223fa95723f62a15e472b4"},
                                                        {"r1", "42d801fd3e77d48c511b501ec4e07adf"},
                                                        {"r2", "dbbaf1681fa172db589726afdae2ca69"},
                                                        {"anna", "52df7ecc3086ddfe0f32af0ca2b7b427"},
                                                        {"kitchen", "959a7822d7deab513ed3c29edc054244"}};
    const auto found = example.find(id);
    if (month == "2026-09" && found != example.end()) return Bytes(found->second);
    const base::Digest hash = base::Blake2b(id + month);
    return std::string(base::View(hash).substr(0, 16));
  }
  // "record/entry" of what is found.
  std::vector<std::string> Find(DecisionQuery query, std::vector<std::string> lines) {
    query.account_id = AccountId("ann");
    std::vector<std::string> found;
    DecisionFind find({&client_}, query, [&found](const FoundDecision& one) {
      found.push_back(std::to_string(one.record) + "/" + std::to_string(one.entry));
    });
    find.BeginFile("file");
    for (const std::string& line : lines) EXPECT_TRUE(find.TakeLine(line).ok());
    counts_ = find.counts();
    return found;
  }
  // The lines that no yes allows, or, with a minus, that cannot be read.
  std::vector<int> Heard(HeardOptions options, const std::string& text) {
    std::vector<int> told;
    PlayedList list(options);
    const auto sink = [&told](uint64_t line, HeardProblem problem, const std::string& why) {
      EXPECT_FALSE(why.empty());
      told.push_back(problem == HeardProblem::kUnreadable ? -static_cast<int>(line) : static_cast<int>(line));
    };
    EXPECT_TRUE(Read(list, text, sink).ok());
    for (const std::string& line : lines_) list.See(*ParseDecisionLine(line));
    lack_key_ = list.Finish(sink);
    return told;
  }
  // Through a file, since a pipe takes less than some of the texts.
  absl::Status Read(PlayedList& list, const std::string& text, const HeardSink& sink) {
    const test::TempFolder folder;
    std::ofstream(folder / "heard") << text;
    const absl::StatusOr<Descriptor> input = OpenInput(folder / "heard");
    if (!input.ok()) return input.status();
    LineReader reader(input->get(), kMaxLineBytes);
    return list.Read("heard", reader, {&client_}, sink);
  }
  static std::string Played(const std::string& recording, std::chrono::microseconds after) {
    return R"({"recording_id": ")" + recording + R"(", "heard_at": ")" + TimeText(kDecided + after) + "\"}\n";
  }

  FakeClient client_;
  std::vector<std::string> lines_;
  std::vector<HandleQuery> asked_;
  std::string gone_;  // the month whose key is
  FindCounts counts_;
  uint64_t lack_key_ = 0;
};

TEST_F(DecisionFindTest, FindsWhatIsAboutThePersonAndNothingElse) {
  EXPECT_THAT(Find({}, lines_), ElementsAre("1/0", "2/0", "2/1", "2/2", "3/-1")) << "the last one read what is stored";
  EXPECT_EQ(asked_.size(), 1U) << "once a month";
  EXPECT_THAT(Find({.recording_ids = {RecordingId("r2")}}, lines_), ElementsAre("2/1"));
  EXPECT_THAT(Find({.profile_ids = {ProfileId("eve"), ProfileId("anna")}}, lines_), ElementsAre("1/0", "2/0", "2/2"));
  EXPECT_THAT(Find({.device_ids = {DeviceId("kitchen")}}, lines_), ElementsAre("1/0", "2/0", "2/2"));
  EXPECT_THAT(Find({.recording_ids = {RecordingId("r2")}, .device_ids = {DeviceId("kitchen")}}, lines_), IsEmpty());
  EXPECT_THAT(Find({.decided = {kDecided, kDecided + std::chrono::microseconds(1)}}, lines_),
              ElementsAre("1/0", "2/0", "2/1", "2/2", "3/-1"));
  EXPECT_THAT(Find({.decided = {.to = kDecided}}, lines_), IsEmpty());
  std::string of_another = lines_[0];
  of_another.replace(of_another.find("ZyzlqPsi"), 8, "ZyzmqPsi");
  EXPECT_THAT(Find({}, {of_another}), IsEmpty());
  std::string read_of_another = lines_[2];
  read_of_another.replace(read_of_another.find("ZyzlqPsi"), 8, "ZyzmqPsi");
  EXPECT_THAT(Find({}, {read_of_another}), IsEmpty());
  std::string of_another_month = lines_[0];
  of_another_month.replace(of_another_month.find("2026-09"), 7, "2026-10");
  EXPECT_THAT(Find({}, {of_another_month}), IsEmpty()) << "each month has its handles";
  EXPECT_TRUE(SawAll(counts_));
}

TEST_F(DecisionFindTest, WhatNobodyCanLookIntoIsCounted) {
  std::string elsewhere = lines_[0];
  elsewhere.replace(elsewhere.find("5e0c91d2"), 8, "5e0c91d3");
  std::string never = lines_[0];
  never.replace(never.find("2026-09"), 7, "2026-19");
  EXPECT_THAT(Find({}, {"{}", elsewhere, never, lines_[0]}), ElementsAre("1/0"));
  EXPECT_EQ(counts_.unreadable, 2U);
  EXPECT_EQ(counts_.other_stores, 1U);
  EXPECT_FALSE(SawAll(counts_));
}

// A store that was restored has another id, and keys of the lost one: their lines are found by it.
TEST_F(DecisionFindTest, AKeyIsKnownByItsNameWhicheverStoreDecided) {
  std::string of_lost_store = lines_[0];
  of_lost_store.replace(of_lost_store.find("5d5d"), 4, "6d6d");
  EXPECT_THAT(Find({}, {of_lost_store}), ElementsAre("1/0"));
  EXPECT_TRUE(SawAll(counts_));
}

TEST_F(DecisionFindTest, LinesOfADestroyedKeyAreCountedAndNoFault) {
  gone_ = "2026-09";
  EXPECT_THAT(Find({}, lines_), IsEmpty());
  EXPECT_EQ(counts_.keys_gone, 4U);
  EXPECT_EQ(counts_.other_stores + counts_.unreadable, 0U);
  EXPECT_TRUE(SawAll(counts_)) << "they name nobody";
}

TEST_F(DecisionFindTest, NobodyIsBlamedForWhatADestroyedKeyHides) {
  const std::string played = Played("r1", std::chrono::seconds(1)) + Played("r3", std::chrono::seconds(1)) +
                             Played("r1", std::chrono::hours(24 * 40));
  EXPECT_THAT(Heard({}, played), ElementsAre(2, 3));
  EXPECT_EQ(lack_key_, 0U);
  gone_ = "2026-09";
  EXPECT_THAT(Heard({}, played), ElementsAre(3)) << "of the month whose key is there";
  EXPECT_EQ(lack_key_, 2U);
}

TEST_F(DecisionFindTest, MonthsAreBounded) {
  DecisionQuery query;
  query.account_id = AccountId("ann");
  DecisionFind find({&client_}, query, [](const FoundDecision&) {});
  absl::Status status;
  int month = 0;
  for (; status.ok() && month < 1'000; ++month) {
    std::string line = lines_[0];
    line.replace(line.find("2026-09"), 7,
                 std::to_string(2000 + month / 12) + (month % 12 < 9 ? "-0" : "-") + std::to_string(month % 12 + 1));
    status = find.TakeLine(line);
  }
  EXPECT_EQ(month, 241);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
}

TEST_F(DecisionFindTest, WhatWasPlayedNeedsAYesBeforeIt) {
  using std::chrono::hours;
  using std::chrono::seconds;
  const std::chrono::microseconds tick(1);
  const auto at = [](auto after) { return Played("r1", std::chrono::microseconds(after)); };
  EXPECT_THAT(Heard({}, at(seconds(0)) + at(hours(24))), IsEmpty());
  EXPECT_THAT(Heard({}, at(-tick) + at(hours(24) + tick)), ElementsAre(1, 2));
  EXPECT_THAT(Heard({.skew = seconds(5)}, at(-seconds(5)) + at(-seconds(5) - tick)), ElementsAre(2));
  EXPECT_THAT(Heard({.within = hours(24 * 90)}, at(hours(24 * 90)) + at(hours(24 * 90) + tick)), ElementsAre(2))
      << "the months before are asked for, too";
  EXPECT_THAT(Heard({.within = seconds(0)}, at(seconds(0)) + at(tick)), ElementsAre(2));
  EXPECT_THAT(Heard({}, Played("r2", seconds(1)) + Played("r3", seconds(1))), ElementsAre(2));
  EXPECT_THAT(Heard({.purpose = Purpose::kModelTraining}, at(seconds(1))), ElementsAre(1));
  EXPECT_THAT(Heard({}, "{}\n" + at(seconds(1)) + "\n" + std::string(kMaxLineBytes + 1, ' ') + "\n"),
              ElementsAre(-1, -3, -4));
}

TEST_F(DecisionFindTest, LinesOfGrantsAreHeldAgainstGrants) {
  client_.on_list_grants = [](const GrantQuery& query) {
    EXPECT_THAT(query.grant_ids, ElementsAre("g1", "g2"));
    GrantShown grant;
    grant.grant_id = "g1";
    grant.given_at = kDecided;
    grant.expires_at = kDecided + std::chrono::minutes(30);
    grant.redeems = 1;
    return GrantPage{{grant}, ""};
  };
  const auto of_grant = [](const std::string& id) {
    return R"({"grant_id": ")" + id + R"(", "heard_at": ")" + TimeText(kDecided + std::chrono::seconds(1)) + "\"}\n";
  };
  EXPECT_THAT(Heard({}, of_grant("g2") + of_grant("g1") + Played("r3", std::chrono::seconds(1)) + "{}\n"),
              ::testing::UnorderedElementsAre(1, 3, -4));
}

TEST_F(DecisionFindTest, HandlesOfAListAreAskedForAThousandAtATime) {
  std::string text;
  for (int i = 0; i < 2'500; ++i) text += Played("other-" + std::to_string(i), std::chrono::seconds(1));
  PlayedList list({});
  size_t told = 0;
  const auto sink = [&told](uint64_t, HeardProblem, const std::string&) { ++told; };
  ASSERT_TRUE(Read(list, text, sink).ok());
  std::multiset<size_t> sizes;
  for (const HandleQuery& query : asked_) sizes.insert(query.recording_ids.size());
  EXPECT_THAT(sizes, ElementsAre(500, 1'000, 1'000));
  list.Finish(sink);
  EXPECT_EQ(told, 2'500U);
}

TEST(HeardLines, AreReadStrictly) {
  const std::string line =
      R"({"recording_id": "r", "heard_at": "2026-10-03T09:12:44Z", "by": "lea", "tool": "desk 7"})";
  ASSERT_TRUE(ParseHeardLine(line).ok());
  EXPECT_EQ(ParseHeardLine(line)->recording_id, RecordingId("r"));
  const auto of_grant = ParseHeardLine(R"({"grant_id": "g", "heard_at": "2026-10-03T09:12:44Z"})");
  ASSERT_TRUE(of_grant.ok());
  EXPECT_EQ(of_grant->grant_id, "g");
  for (const char* wrong :
       {"", "{}", R"({"recording_id": "r"})", R"({"heard_at": "2026-10-03T09:12:44Z"})",
        R"({"recording_id": "r", "heard_at": "yesterday"})", R"({"grant_id": "", "heard_at": "2026-10-03T09:12:44Z"})",
        R"({"grant_id": "g"})", R"({"grant_id": "g", "recording_id": "r", "heard_at": "2026-10-03T09:12:44Z"})",
        R"({"recording_id": "", "heard_at": "2026-10-03T09:12:44Z"})",
        R"({"recording_id": "r", "heard_at": "2026-10-03T09:12:44Z", "who": "lea"})"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseHeardLine(wrong).status())) << wrong;
  }
}

}  // namespace
}  // namespace consent::cli
