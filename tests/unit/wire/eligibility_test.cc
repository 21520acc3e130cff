// Recordings to facts, decisions to messages.
#include <string>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "daemon/domain/decide.h"
#include "daemon/domain/transitions.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/errors.h"
#include "tests/support/enumerators.h"

namespace consent::testing::eligibility_test {
namespace {

using wire::DetailOf;

template <typename M>
M Text(const std::string& text) {
  M message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

class ReadRecordingTest : public ::testing::Test {
 protected:
  bool Read(const std::string& text) {
    faults_.Clear();
    return wire::ReadRecording(Text<v1::Recording>(text), hasher_, wire::Path(), &faults_, &subject_, &id_, &facts_);
  }
  std::string Fault(const std::string& text) {
    if (Read(text)) return "accepted";
    const auto violations = DetailOf(faults_.ToStatus()).violations;
    return violations.size() == 1 ? violations[0].first : std::to_string(violations.size()) + " violations";
  }

  const base::IdHasher hasher_{base::Bytes16{7}};
  wire::Violations faults_;
  base::SubjectHandle subject_;
  std::string id_;
  domain::RecordingFacts facts_;
};

constexpr char kFull[] =
    R"(recording_id: "r" account_id: "a" captured_at { seconds: 5 nanos: 1999 } captured_uncertainty_ms: 250
                      ingested_at { seconds: 6 } profile_ids: "p" profile_ids: "q" device_id: "d" region: "US-CA" wake: WAKE_BUTTON
                      kind: KIND_SOUND speakers: SPEAKERS_SEVERAL identity: IDENTITY_NOT_RUN age: SPEAKER_AGE_CHILD_PRESENT
                      artefact: ARTEFACT_DATASET_ITEM made_for: PURPOSE_ADVERTISING flags: FLAG_SAFETY flags: FLAG_CHILD_PRESENT)";

TEST_F(ReadRecordingTest, EveryFactArrives) {
  ASSERT_TRUE(Read(kFull));
  EXPECT_EQ(subject_, hasher_.Subject("a"));
  EXPECT_EQ(id_, "r");
  EXPECT_EQ(facts_.captured_at.micros, 5'000'001);
  EXPECT_TRUE(facts_.has_uncertainty);
  EXPECT_EQ(facts_.uncertainty, base::Milliseconds(250));
  EXPECT_EQ(facts_.ingested_at.micros, 6'000'000);
  ASSERT_EQ(facts_.profiles.size(), 2U);
  EXPECT_EQ(facts_.profiles[1], hasher_.Profile("q"));
  EXPECT_EQ(facts_.device, hasher_.Device("d"));
  EXPECT_TRUE(facts_.has_region);
  EXPECT_EQ(facts_.region.ToString(), "US-CA");
  EXPECT_EQ(facts_.wake, domain::Wake::kButton);
  EXPECT_EQ(facts_.kind, domain::Kind::kSound);
  EXPECT_EQ(facts_.speakers, domain::Speakers::kSeveral);
  EXPECT_EQ(facts_.identity, domain::Identity::kNotRun);
  EXPECT_EQ(facts_.age, domain::SpeakerAge::kChildPresent);
  EXPECT_EQ(facts_.artefact, domain::Artefact::kDatasetItem);
  EXPECT_EQ(facts_.made_for, domain::Purpose::kAdvertising);
  EXPECT_EQ(facts_.flags, domain::Flags::kSafety | domain::Flags::kChildPresent);
}

// The facts of the recording before must not show through: memory is reused.
TEST_F(ReadRecordingTest, WhatIsNotSaidIsMissingAlsoAfterAFullOne) {
  ASSERT_TRUE(Read(kFull));
  ASSERT_TRUE(Read(R"(recording_id: "r" account_id: "a")"));
  EXPECT_FALSE(facts_.captured_at.IsSet());
  EXPECT_FALSE(facts_.has_uncertainty);
  EXPECT_FALSE(facts_.ingested_at.IsSet());
  EXPECT_TRUE(facts_.profiles.empty());
  EXPECT_FALSE(facts_.device.IsSet());
  EXPECT_FALSE(facts_.has_region);
  EXPECT_FALSE(facts_.region.IsSet());
  EXPECT_EQ(facts_.wake, domain::Wake::kMissing);
  EXPECT_EQ(facts_.kind, domain::Kind::kMissing);
  EXPECT_EQ(facts_.speakers, domain::Speakers::kMissing);
  EXPECT_EQ(facts_.identity, domain::Identity::kMissing);
  EXPECT_EQ(facts_.age, domain::SpeakerAge::kMissing);
  EXPECT_EQ(facts_.artefact, domain::Artefact::kSource);
  EXPECT_EQ(facts_.made_for, domain::Purpose::kNone);
  EXPECT_EQ(facts_.flags, 0);
}

TEST_F(ReadRecordingTest, WhatIsRefused) {
  const std::string ids = R"(recording_id: "r" account_id: "a" )";
  EXPECT_EQ(Fault(ids + R"(profile_ids: "p" profile_ids: "q" profile_ids: "p")"), "profile_ids[2]");
  EXPECT_EQ(Fault(ids + "made_for: PURPOSE_HUMAN_REVIEW"), "made_for");
  EXPECT_EQ(Fault(ids + "artefact: ARTEFACT_SOURCE made_for: PURPOSE_HUMAN_REVIEW"), "made_for");
  EXPECT_EQ(Fault(ids + "artefact: ARTEFACT_FEATURE"), "accepted")
      << "a fact is missing then, which is the decision's matter";
  EXPECT_EQ(Fault(ids + "flags: FLAG_UNSPECIFIED"), "flags[0]");
  EXPECT_EQ(Fault(ids + "flags: FLAG_SAFETY flags: FLAG_SAFETY"), "accepted");
  EXPECT_EQ(Fault(ids + "captured_uncertainty_ms: 0"), "accepted");
  EXPECT_EQ(Fault(ids + "captured_uncertainty_ms: 86400001"), "captured_uncertainty_ms");
  EXPECT_EQ(Fault(R"(account_id: "a")"), "recording_id");
  EXPECT_EQ(Fault(""), "2 violations");
}

TEST_F(ReadRecordingTest, Times) {
  const auto captured = [&](const std::string& time) {
    return Read(R"(recording_id: "r" account_id: "a" captured_at {)" + time + "}") ? facts_.captured_at.micros : -1;
  };
  EXPECT_EQ(captured(""), 1) << "zero would mean that nothing was said";
  EXPECT_EQ(captured("nanos: 999"), 1);
  EXPECT_EQ(captured("seconds: 1 nanos: 999999999"), 1'999'999);
  EXPECT_EQ(captured("seconds: 253402300799 nanos: 5"), base::kLastInstant.micros);
  EXPECT_EQ(captured("seconds: 253402300800"), -1);
  EXPECT_EQ(captured("seconds: -1"), -1);
  EXPECT_EQ(captured("nanos: -1"), -1);
  EXPECT_EQ(captured("nanos: 1000000000"), -1);
}

TEST(ReadCheck, QueryAndPlace) {
  wire::CheckQuery query;
  ASSERT_TRUE(
      wire::ReadCheck(Text<v1::CheckRequest>(R"(recording {} purpose: PURPOSE_MODEL_TRAINING view: DECISION_VIEW_FULL
                                                        selection: SELECTION_COMPLAINT place { country: "CR" site: "s" reviewer_class: REVIEWER_CLASS_CONTRACTOR })"),
                      &query)
          .ok());
  EXPECT_EQ(query.purpose, domain::Purpose::kModelTraining);
  EXPECT_TRUE(query.full);
  EXPECT_EQ(query.place.country.ToString(), "CR");
  EXPECT_EQ(query.place.site, "s");
  EXPECT_EQ(query.selection, domain::Selection::kComplaint);
  EXPECT_EQ(query.place.reviewer_class, domain::ReviewerClass::kContractor);

  wire::CheckQuery bare;
  ASSERT_TRUE(wire::ReadCheck(Text<v1::CheckRequest>("recording {}"), &bare).ok());
  EXPECT_EQ(bare.purpose, domain::Purpose::kNone);
  EXPECT_EQ(bare.selection, domain::Selection::kOther) << "silence is no random sample";
  EXPECT_FALSE(bare.full);
  EXPECT_FALSE(bare.place.country.IsSet());
  EXPECT_EQ(DetailOf(wire::ReadCheck(v1::CheckRequest(), &bare)).violations.at(0).first, "recording");
}

TEST(ReadBatch, TooLargeIsToldApartAndNamesItsLimit) {
  wire::CheckQuery query;
  v1::BatchCheckRequest batch;
  EXPECT_EQ(DetailOf(wire::ReadBatchCheck(batch, &query)).reason, v1::ERROR_REASON_INVALID_FIELD);
  for (int i = 0; i < wire::kMaxBatch; ++i) batch.add_recordings();
  EXPECT_TRUE(wire::ReadBatchCheck(batch, &query).ok()) << "each item's faults are its own";
  batch.add_recordings();
  const absl::Status status = wire::ReadBatchCheck(batch, &query);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DetailOf(status).reason, v1::ERROR_REASON_BATCH_TOO_LARGE);
  EXPECT_EQ(DetailOf(status).metadata.at("limit"), "1000");
}

TEST(WriteDecision, BasicShowsTheFirstReasonAndFullAll) {
  domain::Decision decision;
  decision.eligibility = domain::Eligibility::kNotEligible;
  decision.disposition = domain::Disposition::kPurge;
  decision.reasons.Add(domain::Reason::kRefused);
  decision.reasons.Add(domain::Reason::kDeleted);
  decision.disposed.Add(domain::Reason::kDeleted);
  decision.good_until.micros = 77;
  v1::Decision basic;
  wire::WriteDecision(decision, false, &basic);
  EXPECT_EQ(basic.eligibility(), v1::ELIGIBILITY_NOT_ELIGIBLE);
  EXPECT_EQ(basic.disposition(), v1::DISPOSITION_PURGE);
  ASSERT_EQ(basic.reasons_size(), 1);
  EXPECT_EQ(static_cast<int>(basic.reasons(0)), static_cast<int>(decision.FirstReason()));
  EXPECT_EQ(basic.good_until_us(), 77);
  v1::Decision full;
  wire::WriteDecision(decision, true, &full);
  ASSERT_EQ(full.reasons_size(), 2);
  EXPECT_EQ(full.reasons(0), v1::REASON_DELETED);
  EXPECT_EQ(full.reasons(1), v1::REASON_REFUSED);

  EXPECT_EQ(full.missing_facts_size(), 0);

  decision.missing.Add(domain::MissingFact::kSite);
  decision.missing.Add(domain::MissingFact::kCapturedAt);
  v1::Decision lacking;
  wire::WriteDecision(decision, true, &lacking);
  ASSERT_EQ(lacking.missing_facts_size(), 2);
  EXPECT_EQ(lacking.missing_facts(0), v1::MISSING_FACT_CAPTURED_AT);
  EXPECT_EQ(lacking.missing_facts(1), v1::MISSING_FACT_SITE);
  v1::Decision short_one;
  wire::WriteDecision(decision, false, &short_one);
  EXPECT_EQ(short_one.missing_facts_size(), 0) << "view BASIC";

  domain::Decision keep;
  keep.disposition = domain::Disposition::kKeep;
  v1::Decision nothing_to_explain;
  wire::WriteDecision(keep, false, &nothing_to_explain);
  EXPECT_EQ(nothing_to_explain.reasons_size(), 0);
  EXPECT_EQ(nothing_to_explain.eligibility(), v1::ELIGIBILITY_UNSPECIFIED) << "no purpose was asked";
}

// The numbers of these enums are those of the protos: conversions are casts.
TEST(WriteDecision, NumbersEqualThoseOfTheProtos) {
  ASSERT_EQ(v1::Reason_descriptor()->value_count(), domain::kReasons);
  EXPECT_EQ(v1::Purpose_descriptor()->value_count(), domain::kPurposes + 1);
  EXPECT_EQ(v1::MissingFact_descriptor()->value_count(), domain::kMissingFacts);
  for (const char* name : {"Reason", "Eligibility", "Disposition", "MissingFact"}) {
    test::ExpectEnumeratorsOfProto("daemon/domain/decision.h", name);
  }
  for (const char* name :
       {"Purpose", "Wake", "Kind", "Speakers", "Identity", "SpeakerAge", "ReviewerClass", "Selection"}) {
    test::ExpectEnumeratorsOfProto("daemon/domain/types.h", name);
  }
  for (const char* name : {"Actor", "Channel"}) {
    test::ExpectEnumeratorsOfProto("daemon/domain/transitions.h", name);
  }
  for (const char* name : {"DeletionState", "DeletionCause", "PurgeOutcome", "ExemptReason", "ReceiptChannel"}) {
    test::ExpectEnumeratorsOfProto("daemon/domain/deletion.h", name);
  }
  for (const char* name : {"AppealKind", "AppealOutcome"}) {
    test::ExpectEnumeratorsOfProto("daemon/domain/appeal.h", name);
  }
  test::ExpectEnumeratorsOfProto("daemon/service/rows/change_row.h", "ChangeKind", /*more=*/true);
  // The source is zero there, which is what a request says that names no artefact.
  EXPECT_EQ(static_cast<int>(domain::Artefact::kReviewCopy), v1::ARTEFACT_REVIEW_COPY);
}

TEST(WriteItemError, SaysTheReasonAndNothingOfADefect) {
  v1::ItemError error;
  wire::WriteItemError(wire::FieldError("recordings[3].account_id", "must be 1 to 128 bytes"), &error);
  EXPECT_EQ(error.reason(), "INVALID_FIELD");
  EXPECT_EQ(error.message(), "recordings[3].account_id: must be 1 to 128 bytes");
  wire::WriteItemError(absl::DataLossError("row of alice"), &error);
  EXPECT_EQ(error.reason(), "INTERNAL");
  EXPECT_EQ(error.message().find("alice"), std::string::npos);
}

}  // namespace
}  // namespace consent::testing::eligibility_test
