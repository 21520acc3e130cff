// A yes that the policy wants on record is said once it is there, and is a no where it cannot be.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "daemon/base/base64.h"
#include "tests/unit/rpc/services_fixture.h"

namespace consent::test {
namespace {

using ::testing::ElementsAre;
using Json = nlohmann::json;

// The index holds all subjects, one, or none.
class RecordedYeses : public ServicesTest, public ::testing::WithParamInterface<uint64_t> {
 protected:
  static World::Options Options(uint64_t max_subjects) {
    World::Options options;
    options.max_subjects = max_subjects;
    options.partitions = 4;
    return options;
  }
  RecordedYeses() : ServicesTest(Options(GetParam())) {
    Mark("marked", {v1::PURPOSE_HUMAN_REVIEW});
    OptIn();
    Upsert(R"(account_id: "b" region: "FR" request_id: "b" evidence { channel: CHANNEL_APP actor: ACTOR_SELF })");
  }

  void Mark(const std::string& version, const std::vector<v1::Purpose>& purposes) {
    PolicyBuilder policy(version);
    for (const v1::Purpose purpose : purposes) policy.policy().add_recorded_purposes(purpose);
    EXPECT_TRUE(world_.Activate(policy).ok());
  }
  std::vector<Json> Records() const {
    std::map<std::string, std::vector<Json>> files;
    for (const auto& file : std::filesystem::directory_iterator(log_folder_ / "decisions")) {
      std::ifstream lines(file.path());
      for (std::string line; std::getline(lines, line);) files[file.path()].push_back(Json::parse(line));
    }
    std::vector<Json> records;
    for (const auto& [name, part] : files) records.insert(records.end(), part.begin(), part.end());
    return records;
  }
  // Eligible ones, others and faults, mixed.
  std::vector<v1::Recording> Various(int count) const {
    std::vector<v1::Recording> recordings;
    for (int i = 0; i < count; ++i) {
      recordings.push_back(Clean(i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "", "r-" + std::to_string(i)));
      if (i % 5 == 4) recordings.back().add_flags(v1::FLAG_SAFETY);
    }
    return recordings;
  }
  // How many of the decisions so far had the reason.
  uint32_t Counted(domain::Reason reason) const {
    uint32_t count = 0;
    for (const rpc::DecisionsSeen& seen : notes_.decisions()) count += seen.reason == reason ? seen.count : 0;
    return count;
  }
};

TEST_P(RecordedYeses, AYesIsThereBeforeItIsSaid) {
  const auto reply = Check(Clean("a"), std::string(kPlace) + " view: DECISION_VIEW_FULL selection: SELECTION_RANDOM");
  ASSERT_EQ(reply.decision().eligibility(), v1::ELIGIBILITY_ELIGIBLE) << reply.ShortDebugString();
  const std::vector<Json> records = Records();
  ASSERT_EQ(records.size(), 1U);
  const Json& record = records[0];
  EXPECT_EQ(record["caller"], "local");
  EXPECT_EQ(record["purpose"], "HUMAN_REVIEW");
  EXPECT_EQ(record["selection"], "RANDOM");
  EXPECT_EQ(record["country"], "DE");
  EXPECT_EQ(record["reviewer"], "EMPLOYEE");
  EXPECT_EQ(record["site"], "site");
  EXPECT_EQ(record["policy"], "marked");
  ASSERT_EQ(record["yes"].size(), 1U);
  const Json& yes = record["yes"][0];
  const base::SubjectHandle subject = world_.Handle("a");
  EXPECT_EQ(yes[7], world_.core().store.GetHead(world_.core().PartitionOf(subject)).stamp.sequence);
  EXPECT_EQ(yes[8], world_.RevisionOf("a"));
  EXPECT_EQ(yes[9], static_cast<int>(v1::REASON_CONSENT));
  const auto cipher = handle_keys_.Borrow(base::Month::Of(world_.core().Present().latest));
  EXPECT_EQ(record["month"], cipher->name().ToText());
  const base::Bytes16 handle = cipher->Encrypt(subject.bytes);
  EXPECT_EQ(yes[0], base::EncodeBase64Url(base::View(handle)));
}

TEST_P(RecordedYeses, OnlyAYesForAMarkedPurposeIsRecorded) {
  Check(Clean("b"));      // a no
  Check(Clean("a"), "");  // the disposition
  Check(Clean("a"),
        "purpose: PURPOSE_FEATURE_DEVELOPMENT " + std::string(kPlace).substr(std::string(kPlace).find("place")));
  EXPECT_EQ(Counted(domain::Reason::kConsent), 1U);
  EXPECT_TRUE(Records().empty());
  Mark("unmarked", {});
  log_fails_ = true;
  EXPECT_EQ(Check(Clean("a")).decision().eligibility(), v1::ELIGIBILITY_ELIGIBLE) << "nothing is wanted on record";
}

TEST_P(RecordedYeses, WhatCannotBeRecordedIsANoOfItsOwn) {
  log_fails_ = true;
  const auto reply = Check(Clean("a"), std::string(kPlace) + " view: DECISION_VIEW_FULL");
  ASSERT_TRUE(status_.ok());
  EXPECT_EQ(reply.decision().eligibility(), v1::ELIGIBILITY_NOT_ELIGIBLE);
  EXPECT_EQ(reply.decision().disposition(), v1::DISPOSITION_KEEP);
  EXPECT_THAT(reply.decision().reasons(), ElementsAre(v1::REASON_NOT_RECORDED));
  EXPECT_EQ(reply.decision().good_until_us(),
            reply.checked_at().seconds() * 1'000'000 + reply.checked_at().nanos() / 1000)
      << "it may be asked again";
  EXPECT_FALSE(reply.decision().revision().empty());
  EXPECT_EQ(Counted(domain::Reason::kNotRecorded), 1U);
  EXPECT_EQ(Counted(domain::Reason::kConsent), 0U);
  EXPECT_TRUE(Records().empty());
  log_fails_ = false;
  EXPECT_EQ(Check(Clean("a")).decision().eligibility(), v1::ELIGIBILITY_ELIGIBLE);
}

// Each yes is turned into that no in its place, and nothing else of the reply changes.
TEST_P(RecordedYeses, ABatchTakesItsYesesBack) {
  for (const char* view : {"", " view: DECISION_VIEW_FULL"}) {
    for (const int size : {1, 2, 33, 100}) {
      SCOPED_TRACE(std::string(view) + " " + std::to_string(size));
      const size_t before = Records().size();
      const auto said = Batch(Various(size), std::string(kPlace) + view);
      ASSERT_TRUE(status_.ok()) << status_.error_message();
      size_t yeses = 0;
      for (const auto& result : said.results()) yeses += result.decision().eligibility() == v1::ELIGIBILITY_ELIGIBLE;
      ASSERT_GT(yeses, 0U);
      ASSERT_EQ(Records().size(), before + 1) << "one record a call";
      EXPECT_EQ(Records().back()["yes"].size(), yeses);

      const uint32_t counted = Counted(domain::Reason::kNotRecorded);
      const uint32_t consents = Counted(domain::Reason::kConsent);
      log_fails_ = true;
      const auto kept = Batch(Various(size), std::string(kPlace) + view);
      log_fails_ = false;
      ASSERT_TRUE(status_.ok()) << status_.error_message();
      EXPECT_EQ(Counted(domain::Reason::kNotRecorded), counted + yeses);
      EXPECT_EQ(Counted(domain::Reason::kConsent), consents);
      EXPECT_EQ(Records().size(), before + 1);
      ASSERT_EQ(kept.results_size(), said.results_size());
      for (int i = 0; i < size; ++i) {
        v1::BatchCheckResult expected = said.results(i);
        if (expected.has_decision()) {
          expected.mutable_decision()->set_good_until_us(kept.results(i).decision().good_until_us());
        }
        if (expected.decision().eligibility() == v1::ELIGIBILITY_ELIGIBLE) {
          expected.mutable_decision()->set_eligibility(v1::ELIGIBILITY_NOT_ELIGIBLE);
          expected.mutable_decision()->clear_reasons();
          expected.mutable_decision()->add_reasons(v1::REASON_NOT_RECORDED);
          EXPECT_EQ(kept.results(i).decision().good_until_us(),
                    kept.checked_at().seconds() * 1'000'000 + kept.checked_at().nanos() / 1000);
        }
        EXPECT_EQ(kept.results(i).ShortDebugString(), expected.ShortDebugString()) << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Indexes, RecordedYeses, ::testing::Values(0, 1, 1 << 20));

}  // namespace
}  // namespace consent::test
