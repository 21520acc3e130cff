// BatchCheck: places, limits, items with faults, and an index that knows nothing.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/rpc/services_fixture.h"

namespace consent::test {
namespace {

using ::testing::ElementsAre;

TEST_F(ServicesTest, ABatchAnswersEachItemInItsPlace) {
  OptIn();
  std::vector<v1::Recording> recordings;
  for (int i = 0; i < 30; ++i) recordings.push_back(Clean(i % 3 == 0 ? "a" : i % 3 == 1 ? "unknown" : ""));
  recordings[3].set_wake(static_cast<v1::Wake>(77));
  const auto reply = Batch(recordings);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(reply.results_size(), 30);
  for (int i = 0; i < 30; ++i) {
    const auto& result = reply.results(i);
    if (i % 3 == 2 || i == 3) {
      EXPECT_EQ(result.error().reason(), "INVALID_FIELD") << i;
      EXPECT_EQ(result.error().message().rfind("recordings[" + std::to_string(i) + "].", 0), 0U)
          << result.error().message();
    } else {
      EXPECT_EQ(result.decision().eligibility(), i % 3 == 0 ? v1::ELIGIBILITY_ELIGIBLE : v1::ELIGIBILITY_NOT_ELIGIBLE)
          << i;
      EXPECT_EQ(result.decision().reasons(0), i % 3 == 0 ? v1::REASON_CONSENT : v1::REASON_UNKNOWN_SUBJECT) << i;
    }
  }
  EXPECT_EQ(notes_.item_errors(), 11U);
  ASSERT_EQ(notes_.decisions().size(), 2U) << "aggregated";
  EXPECT_EQ(notes_.decisions()[0].count + notes_.decisions()[1].count, 19U);
  uint32_t eligible = 0;
  uint32_t asked = 0;
  for (const NoteTaker::Asked& one : notes_.asked()) {
    eligible += one.eligible;
    asked += one.eligible + one.not_eligible;
  }
  EXPECT_EQ(asked, 19U);
  EXPECT_EQ(eligible, 9U);
  EXPECT_EQ(notes_.started().size(), notes_.calls().size());
}

// The index holds all subjects, one, or none; what it does not know is decided from the store and put in its place.
class BatchWithAnIndexOf : public ServicesTest, public ::testing::WithParamInterface<uint64_t> {
 protected:
  static World::Options Options(uint64_t max_subjects) {
    World::Options options;
    options.max_subjects = max_subjects;
    return options;
  }
  BatchWithAnIndexOf() : ServicesTest(Options(GetParam())) {}

  // Of all kinds: known, unknown and without an account; plain and not; each answered otherwise than its neighbours.
  std::vector<v1::Recording> Various(int count) const {
    static const std::string kAccounts[] = {"a", "unknown", "", "a", "b"};
    std::vector<v1::Recording> recordings;
    for (int i = 0; i < count; ++i) {
      v1::Recording recording = Clean(kAccounts[i % 5], (i % 7 == 3 ? "\u00e9-" : "r-") + std::to_string(i));
      if (i % 4 == 1) recording.set_wake(v1::WAKE_ACCIDENTAL);
      if (i % 6 == 5) recording.add_flags(v1::FLAG_SAFETY);
      if (i % 8 == 6) recording.set_device_id(i % 16 == 6 ? "kitchen" : "attic");
      if (i % 9 == 2) recording.set_region(i % 2 == 0 ? "FR" : "US-CA");
      if (i % 10 == 3) recording.mutable_captured_at()->set_seconds(1'700'000'000);
      if (i % 11 == 4) recording.set_kind(static_cast<v1::Kind>(9));
      recordings.push_back(std::move(recording));
    }
    return recordings;
  }
  // The bytes of the answer; no time passes.
  template <typename Request>
  std::string Raw(const std::string& method, const Request& request) {
    std::string reply;
    status_ = server_.CallRaw("/consent.v1.EligibilityService/" + method, request.SerializeAsString(), &reply);
    EXPECT_TRUE(status_.ok()) << status_.error_message();
    return reply;
  }
};

// As Check answers, in the order of the request, whatever group an item falls into; and as protobuf would write it.
TEST_P(BatchWithAnIndexOf, AnswersEachAsACheckDoesAndInProtobufsBytes) {
  OptIn();
  Upsert(R"(account_id: "b" region: "FR" request_id: "b" evidence { channel: CHANNEL_APP actor: ACTOR_SELF })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  for (const char* view : {"", " view: DECISION_VIEW_FULL"}) {
    for (const int size : {1, 31, 32, 33, 64, 100}) {
      v1::BatchCheckRequest request;
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string(kPlace) + view, &request));
      v1::CheckRequest one;
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string(kPlace) + view, &one));
      for (const v1::Recording& recording : Various(size)) *request.add_recordings() = recording;
      const std::string bytes = Raw("BatchCheck", request);
      v1::BatchCheckResponse reply;
      ASSERT_TRUE(reply.ParseFromString(bytes));
      EXPECT_EQ(reply.SerializeAsString(), bytes);
      ASSERT_EQ(reply.results_size(), size);
      for (int i = 0; i < size; ++i) {
        *one.mutable_recording() = request.recordings(i);
        if (i % 5 == 2 || i % 11 == 4) {
          EXPECT_EQ(reply.results(i).error().reason(), "INVALID_FIELD") << i;
          continue;
        }
        v1::CheckResponse expected;
        ASSERT_TRUE(expected.ParseFromString(Raw("Check", one)));
        EXPECT_EQ(reply.results(i).decision().SerializeAsString(), expected.decision().SerializeAsString())
            << i << " of " << size << view << "\n"
            << request.recordings(i).ShortDebugString();
      }
    }
  }
}

// What is stored about a recording counts for that one alone. Names outside ASCII take another way through the parser.
TEST_P(BatchWithAnIndexOf, AFlaggedRecordingIsRefusedAndNoOther) {
  OptIn();
  const auto id = [](int i) { return (i % 5 == 3 ? "\u00e9-" : "r-") + std::to_string(i); };
  const auto flagged = [](int i) { return i % 7 == 3; };
  for (int i = 0; i < 30; ++i) {
    if (!flagged(i)) continue;
    Call(recording_stub_, &v1::RecordingService::Stub::ReportRecording,
         "account_id: \"a\" flags: FLAG_CRITICAL_DATA recording_id: \"" + id(i) + "\"");
    ASSERT_TRUE(status_.ok()) << status_.error_message();
  }
  std::vector<v1::Recording> recordings;
  for (int i = 0; i < 30; ++i) recordings.push_back(Clean("a", id(i)));
  const auto reply = Batch(recordings);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(reply.results_size(), 30);
  for (int i = 0; i < 30; ++i) {
    const v1::Decision& decision = reply.results(i).decision();
    EXPECT_EQ(decision.eligibility(), flagged(i) ? v1::ELIGIBILITY_NOT_ELIGIBLE : v1::ELIGIBILITY_ELIGIBLE) << i;
    EXPECT_EQ(decision.reasons(0), flagged(i) ? v1::REASON_CRITICAL_DATA : v1::REASON_CONSENT) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(MaxSubjects, BatchWithAnIndexOf, ::testing::Values(1'000, 1, 0));

TEST_F(ServicesTest, BatchesOfEverySizeUpToTheLimit) {
  for (const size_t size : {1, 2, 31, 32, 33, 63, 64, 65, 1'000}) {
    EXPECT_EQ(Batch(std::vector<v1::Recording>(size, Clean("unknown"))).results_size(), static_cast<int>(size));
    EXPECT_TRUE(status_.ok()) << size;
  }
  Batch(std::vector<v1::Recording>(1'001, Clean("unknown")));
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Details(status_).reason, "BATCH_TOO_LARGE");
  EXPECT_EQ(Details(status_).metadata["limit"], "1000");
  Batch({});
  EXPECT_EQ(Details(status_).reason, "INVALID_FIELD");
  EXPECT_THAT(Details(status_).fields, ElementsAre("recordings"));
}

// An index that holds nothing: everything is decided from the store, on the read pool.
class SmallIndexTest : public ServicesTest {
 protected:
  static World::Options Options() {
    World::Options options;
    options.max_subjects = 0;
    return options;
  }
  SmallIndexTest() : ServicesTest(Options()) {}
};

TEST_F(SmallIndexTest, WhatTheIndexDoesNotKnowIsDecidedFromTheStore) {
  OptIn();
  EXPECT_EQ(Check(Clean("a")).decision().eligibility(), v1::ELIGIBILITY_ELIGIBLE);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  std::vector<v1::Recording> recordings;
  for (int i = 0; i < 100; ++i) recordings.push_back(Clean(i % 2 == 0 ? "a" : "unknown"));
  recordings[50].clear_account_id();
  recordings[10].clear_speakers();
  recordings[10].clear_wake();
  const auto reply = Batch(recordings, std::string(kPlace) + " view: DECISION_VIEW_FULL");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(reply.results_size(), 100);
  for (int i = 0; i < 100; ++i) {
    if (i == 50) {
      EXPECT_TRUE(reply.results(i).has_error());
      continue;
    }
    EXPECT_EQ(reply.results(i).decision().eligibility(),
              i % 2 == 0 && i != 10 ? v1::ELIGIBILITY_ELIGIBLE : v1::ELIGIBILITY_NOT_ELIGIBLE)
        << i;
    EXPECT_EQ(reply.results(i).decision().revision().empty(), i % 2 == 1);
    EXPECT_EQ(reply.results(i).decision().missing_facts_size(), i == 10 ? 2 : 0) << i;
  }
  EXPECT_THAT(reply.results(10).decision().missing_facts(),
              ElementsAre(v1::MISSING_FACT_WAKE, v1::MISSING_FACT_SPEAKERS));
}

}  // namespace
}  // namespace consent::test
