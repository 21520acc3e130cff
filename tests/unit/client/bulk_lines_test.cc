// Lines of `--file`, one by one.
#include "client/cli/lines/bulk_lines.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace consent::bulk_lines_test {
namespace {

DeletionDefaults Verified() {
  DeletionDefaults defaults;
  defaults.verification = Verification::kVerified;
  return defaults;
}

std::string Deletion(const std::string& selector) { return R"({"account_id":"a","selector":)" + selector + "}"; }

const NewDeletionRequest& OrderOf(const absl::StatusOr<BulkLine>& line) {
  return std::get<NewDeletionRequest>(line->noes.at(0).order);
}

TEST(DeletionLine, HasTheSelectorInTheShapeInWhichItIsPrinted) {
  const struct {
    const char* text;
    DeletionSelector selector;
  } cases[] = {
      {R"({"kind":"everything"})", Everything{}},
      {R"({"kind":"recordings","recording_ids":["r1","r2"]})",
       std::vector<RecordingId>{RecordingId("r1"), RecordingId("r2")}},
      {R"({"kind":"profile","profile_id":"p"})", ProfileId("p")},
      {R"({"kind":"device","device_id":"d"})", DeviceId("d")},
      {R"({"kind":"voice_id","profile_id":"p"})", VoiceIdOf{ProfileId("p")}},
      {R"({"kind":"purpose_copies","purposes":["HUMAN_REVIEW"],"profile_id":"p"})",
       PurposeCopies{{Purpose::kHumanReview}, {ProfileId("p"), {}}}},
      {R"({"kind":"account_closure"})", AccountClosure{}},
      {R"({"kind":"time_range","from":"1970-01-01T00:00:01Z","to":"1970-01-01T00:00:02Z"})",
       TimeRange{Time(std::chrono::seconds(1)), Time(std::chrono::seconds(2))}},
      {R"({"kind":"spoken_day","spoken_at":"1970-01-01T00:00:01Z","time_zone":"Asia/Tokyo"})",
       SpokenDay{Time(std::chrono::seconds(1)), "Asia/Tokyo"}},
  };
  for (const auto& one : cases) {
    const auto line = ReadDeletionLine(Deletion(one.text), Verified());
    ASSERT_TRUE(line.ok()) << one.text << line.status();
    EXPECT_EQ(OrderOf(line).selector, one.selector) << one.text;
    EXPECT_EQ(OrderOf(line).verification, Verification::kVerified);
    EXPECT_TRUE(line->faults.empty());
  }
}

// It erases, so what may narrow it down and cannot be read makes it nothing.
TEST(DeletionLine, WhatCannotBeReadOfASelectorMakesTheLineUnreadable) {
  for (const char* text :
       {"7", "{}", R"({"kind":"all"})", R"({"kind":"everything","form":"2024-01-01T00:00:00Z"})",
        R"({"kind":"time_range","from":"2024-01-01T00:00:00Z"})",
        R"({"kind":"time_range","from":null,"to":"2024-01-01T00:00:00Z"})", R"({"kind":"recordings"})",
        R"({"kind":"recordings","recording_ids":[]})", R"({"kind":"profile"})", R"({"kind":"profile","profile_id":""})",
        R"({"kind":"purpose_copies","purposes":[]})", R"({"kind":"everything","kind":"everything"})"}) {
    EXPECT_FALSE(ReadDeletionLine(Deletion(text), Verified()).ok()) << text;
  }
  EXPECT_FALSE(ReadDeletionLine(R"({"account_id":"a"})", Verified()).ok()) << "nobody says what";
  EXPECT_FALSE(ReadDeletionLine(R"({"selector":{"kind":"everything"}})", Verified()).ok()) << "nobody says whose";
}

TEST(DeletionLine, WhatIsWrongBesideItLeavesItReceivedAndNotVerified) {
  const std::string good = R"({"account_id":"a","selector":{"kind":"everything"})";
  for (const std::string& line :
       {good + R"(,"from":"2024-01-01T00:00:00Z"})", good + R"(,"verified":"yes"})", good + "} ",
        "\xef\xbb\xbf" + good + "}", good + R"(,"reference":7})", good + R"(,"verified":true,"verified":true})"}) {
    const auto read = ReadDeletionLine(line, Verified());
    ASSERT_TRUE(read.ok()) << line << read.status();
    EXPECT_EQ(OrderOf(read).verification, Verification::kPending) << line;
    EXPECT_EQ(read->faults.size(), 1u) << line;
  }
}

TEST(DeletionLine, WhatIsDeletedIsSaidInOnePlace) {
  DeletionDefaults defaults = Verified();
  defaults.selector = Everything{};
  EXPECT_EQ(OrderOf(ReadDeletionLine(R"({"account_id":"a","verified":false})", defaults)).verification,
            Verification::kPending);
  EXPECT_FALSE(ReadDeletionLine(Deletion(R"({"kind":"everything"})"), defaults).ok());
}

TEST(OptOutLine, SaysWhatIsRefusedOrTheCommandLineDoes) {
  OptOutDefaults defaults;
  defaults.targets = {{"", Purpose::kUnset, true}};
  const auto bare = ReadOptOutLine(R"({"account_id":"a"})", defaults);
  ASSERT_TRUE(bare.ok());
  EXPECT_TRUE(std::get<OptOutOrder>(bare->noes.at(0).order).targets.at(0).all);
  const auto own = ReadOptOutLine(R"({"account_id":"a","choices":[{"purpose":"ADVERTISING","turn":"OFF"}]})", defaults);
  EXPECT_EQ(std::get<OptOutOrder>(own->noes.at(0).order).targets.at(0).purpose, Purpose::kAdvertising);
  EXPECT_FALSE(ReadOptOutLine(R"({"account_id":"a"})", {}).ok()) << "names nothing to refuse";
  // A no counts whatever else is wrong.
  const auto damaged = ReadOptOutLine(R"({"account_id":"a","regoin":"DE"})", defaults);
  ASSERT_TRUE(damaged.ok());
  EXPECT_EQ(damaged->noes.size(), 1u);
  EXPECT_EQ(damaged->faults.size(), 1u);
}

TEST(OptOutLine, TurnsNothingOn) {
  const auto line = ReadOptOutLine(
      R"({"account_id":"a","retention":"3m","choices":[{"control":"x","turn":"OFF"},)"
      R"({"control":"y","turn":"ON","answers":"2026-01-01T00:00:00Z","notice_version":"n","notice_language":"de"}]})",
      {});
  ASSERT_TRUE(line.ok());
  EXPECT_TRUE(line->yeses.empty());
  EXPECT_EQ(line->noes.size(), 1u);
  EXPECT_EQ(line->faults.size(), 2u);
}

TEST(SettingsLine, AYesNeedsTheNoThatItAnswers) {
  const std::string yes = R"({"account_id":"a","choices":[{"control":"x","turn":"ON","notice_version":"n",)"
                          R"("notice_language":"de")";
  const auto without = ReadSettingsLine(yes + "}]}", {});
  ASSERT_TRUE(without.ok());
  EXPECT_TRUE(without->yeses.empty());
  EXPECT_NE(without->faults.at(0).why.find("answers"), std::string::npos);
  const auto with = ReadSettingsLine(yes + R"(,"answers":"2026-01-01T00:00:00.000001Z"}]})", {});
  ASSERT_TRUE(with.ok());
  const auto& update = std::get<SettingsUpdate>(with->yeses.at(0).order);
  EXPECT_EQ(*update.changes.at(0).answers - Time(std::chrono::seconds(1767225600)), std::chrono::microseconds(1));
  EXPECT_TRUE(update.etag.empty());
}

TEST(SettingsLine, TheCommandLineSaysTheNoticeForAllLines) {
  Evidence defaults;
  defaults.notice_version = "m";
  defaults.notice_language = "en";
  const auto line =
      ReadSettingsLine(R"({"account_id":"a","choices":[{"control":"x","turn":"ON","answers":"2026-01-01T00:00:00Z"},)"
                       R"({"control":"y","turn":"ON","answers":"2026-01-01T00:00:00Z","notice_version":"n"}]})",
                       defaults);
  ASSERT_TRUE(line.ok());
  ASSERT_EQ(line->yeses.size(), 2u);
  EXPECT_EQ(std::get<SettingsUpdate>(line->yeses[0].order).evidence.notice_version, "m");
  EXPECT_EQ(std::get<SettingsUpdate>(line->yeses[1].order).evidence.notice_version, "n");
  EXPECT_EQ(std::get<SettingsUpdate>(line->yeses[1].order).evidence.notice_language, "en");
}

TEST(SettingsLine, NoesStandBesideEachYesAndAloneBefore) {
  const auto line = ReadSettingsLine(
      R"({"account_id":"a","retention":"3m","choices":[{"control":"x","turn":"OFF"},{"control":"z","turn":"OFF"},)"
      R"({"control":"y","turn":"ON","answers":"2026-01-01T00:00:00Z","notice_version":"n","notice_language":"de"},)"
      R"({"control":"w","turn":"ON","answers":"2026-01-01T00:00:00Z","notice_version":"m","notice_language":"de"}]})",
      {});
  ASSERT_TRUE(line.ok());
  ASSERT_EQ(line->noes.size(), 2u) << "two noes of one scope, and a retention";
  EXPECT_EQ(std::get<OptOutOrder>(line->noes[0].order).targets.size(), 2u);
  ASSERT_EQ(line->yeses.size(), 2u) << "one for each evidence";
  for (const BulkCall& call : line->yeses) EXPECT_EQ(std::get<SettingsUpdate>(call.order).changes.size(), 3u);
}

TEST(SettingsLine, ALineWithAFaultAllowsNothing) {
  const auto line = ReadSettingsLine(
      R"({"account_id":"a","x":1,"choices":[{"control":"z","turn":"OFF"},)"
      R"({"control":"y","turn":"ON","answers":"2026-01-01T00:00:00Z","notice_version":"n","notice_language":"de"}]})",
      {});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->noes.size(), 1u);
  EXPECT_TRUE(line->yeses.empty());
}

TEST(BulkRequestIds, AreTheSameForTheSameAndOtherForAnythingElse) {
  std::set<std::string> ids;
  for (const char* run : {"r", "s"}) {
    for (const char* input : {"i", "j"}) {
      for (const uint64_t line : {1, 2, 11}) {
        for (const char* part : {"no selector", "yes selector", "1"}) {
          const RequestId id = BulkRequestId(run, input, line, part);
          EXPECT_EQ(id, BulkRequestId(run, input, line, part));
          EXPECT_EQ(id.value().size(), 36u);
          ids.insert(id.value());
        }
      }
    }
  }
  EXPECT_EQ(ids.size(), 36u);
}

}  // namespace
}  // namespace consent::bulk_lines_test
