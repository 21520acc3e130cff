// Everything that can go wrong between a question and its answer is a no.
#include <gtest/gtest.h>

#include <latch>

#include "tests/unit/client/fake_daemon.h"

namespace consent {
namespace {

using testing::FakeClock;
using testing::FakeDaemon;
using testing::FillTimes;
using testing::FillYes;
using testing::RpcError;

Recording SomeRecording(const std::string& id = "r1") {
  Recording recording;
  recording.recording_id = RecordingId(id);
  recording.account_id = AccountId("a1");
  return recording;
}

const Question kQuestion{
    Purpose::kHumanReview, {"DE", "berlin", ReviewerClass::kEmployee}, true, Etag(), Selection::kRandom};

class FailuresTest : public ::testing::Test {
 protected:
  FailuresTest() {
    daemon_.on_check = [this](grpc::ServerContext&, const v1::CheckRequest& request, v1::CheckResponse* response) {
      seen_ = request;
      FillYes(response->mutable_decision());
      FillTimes(response);
      if (spoil_) spoil_(response);
      return grpc::Status::OK;
    };
    client_ = daemon_.Connect(clock_);
  }
  // Asks a daemon whose sound yes was spoilt like this.
  Answer Ask(std::function<void(v1::CheckResponse*)> spoil = {}) {
    spoil_ = std::move(spoil);
    return client_->Check(SomeRecording(), kQuestion);
  }
  static void ExpectNo(const Answer& answer) { EXPECT_FALSE(answer.MayUse(Purpose::kHumanReview)); }

  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_;
  std::function<void(v1::CheckResponse*)> spoil_;
  v1::CheckRequest seen_;
};

TEST_F(FailuresTest, TheSoundYesIsAYes) {
  const Answer answer = Ask();
  EXPECT_TRUE(answer.MayUse(Purpose::kHumanReview)) << answer.error();
  EXPECT_FALSE(answer.MayUse(Purpose::kModelTraining));
  EXPECT_EQ(answer.policy_version(), "test-1");
  EXPECT_EQ(seen_.purpose(), v1::PURPOSE_HUMAN_REVIEW);
  EXPECT_EQ(seen_.place().country(), "DE");
  EXPECT_EQ(seen_.view(), v1::DECISION_VIEW_FULL);
  EXPECT_EQ(seen_.recording().account_id(), "a1");
}

TEST_F(FailuresTest, MissingPartsAreNo) {
  ExpectNo(Ask([](v1::CheckResponse* response) { response->Clear(); }));
  ExpectNo(Ask([](v1::CheckResponse* response) { response->clear_decision(); }));
  ExpectNo(Ask([](v1::CheckResponse* response) { response->clear_checked_at(); }));
  ExpectNo(Ask([](v1::CheckResponse* response) { response->mutable_decision()->clear_eligibility(); }));
  ExpectNo(Ask([](v1::CheckResponse* response) { response->mutable_decision()->clear_disposition(); }));
  ExpectNo(Ask([](v1::CheckResponse* response) { response->mutable_decision()->clear_reasons(); }));
  ExpectNo(Ask([](v1::CheckResponse* response) { response->mutable_decision()->clear_good_until_us(); }));
}

TEST_F(FailuresTest, UnknownEnumValuesAreNo) {
  for (const int unknown : {3, 99, -1}) {
    ExpectNo(Ask(
        [=](v1::CheckResponse* r) { r->mutable_decision()->set_eligibility(static_cast<v1::Eligibility>(unknown)); }));
  }
  for (const int unknown : {4, 99, -1}) {
    const Answer answer = Ask(
        [=](v1::CheckResponse* r) { r->mutable_decision()->set_disposition(static_cast<v1::Disposition>(unknown)); });
    ExpectNo(answer);
    EXPECT_FALSE(answer.MustPurge());
  }
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_decision()->set_reasons(0, static_cast<v1::Reason>(36)); }));
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_decision()->add_reasons(static_cast<v1::Reason>(999)); }));
}

TEST_F(FailuresTest, ExpiredAndImpossibleTimesAreNo) {
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_decision()->set_good_until_us(1'700'000'000'000'000); }));
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_decision()->set_good_until_us(1); }));
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_decision()->set_good_until_us(INT64_MAX); }));
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_decision()->set_good_until_us(INT64_MIN); }));
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_checked_at()->set_seconds(INT64_MAX); }));
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_checked_at()->set_seconds(INT64_MIN); }));
  ExpectNo(Ask([](v1::CheckResponse* r) { r->mutable_checked_at()->set_nanos(-1); }));
}

TEST_F(FailuresTest, AnAnswerThatComesTooLateIsNo) {
  ExpectNo(Ask([this](v1::CheckResponse*) { clock_->Advance(std::chrono::seconds(61)); }));
}

TEST_F(FailuresTest, AnAnswerEndsWhereTheDaemonSaid) {
  const Answer answer = Ask();
  clock_->Advance(std::chrono::seconds(59));
  EXPECT_TRUE(answer.MayUse(Purpose::kHumanReview));
  clock_->Advance(std::chrono::seconds(1));
  ExpectNo(answer);
}

TEST_F(FailuresTest, EveryErrorIsNoAndSaysWhy) {
  for (int code = 1; code <= 16; ++code) {
    daemon_.on_check = [code](grpc::ServerContext&, const v1::CheckRequest&, v1::CheckResponse* response) {
      // A reply that came with an error is not looked at.
      FillYes(response->mutable_decision());
      FillTimes(response);
      return RpcError(static_cast<grpc::StatusCode>(code), "INVALID_FIELD", "recording.region");
    };
    const Answer answer = client_->Check(SomeRecording(), kQuestion);
    ExpectNo(answer);
    EXPECT_EQ(static_cast<int>(answer.error().code()), code);
    const Error error = ErrorOf(answer.error());
    EXPECT_EQ(error.reason, "INVALID_FIELD");
    EXPECT_EQ(error.metadata.at("limit"), "64");
    ASSERT_EQ(error.fields.size(), 1u);
    EXPECT_EQ(error.fields[0].field, "recording.region");
  }
}

TEST_F(FailuresTest, ErrorDetailsThatCannotBeReadAreNo) {
  daemon_.on_check = [](grpc::ServerContext&, const v1::CheckRequest&, v1::CheckResponse*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "x", "\xff\xff garbage");
  };
  const Answer answer = client_->Check(SomeRecording(), kQuestion);
  ExpectNo(answer);
  EXPECT_EQ(ErrorOf(answer.error()).reason, "");
}

TEST_F(FailuresTest, UnreachableIsNo) {
  daemon_.Stop();
  const Answer answer = client_->Check(SomeRecording(), kQuestion);
  ExpectNo(answer);
  EXPECT_EQ(answer.error().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client_->BatchCheck({SomeRecording(), SomeRecording("r2")}, kQuestion).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(FailuresTest, ADaemonThatNeverAnswersIsNo) {
  // Shared, because the handlers outlive this test's frame.
  auto done = std::make_shared<std::latch>(1);
  daemon_.on_check = [done](grpc::ServerContext&, const v1::CheckRequest&, v1::CheckResponse* response) {
    done->wait();
    FillYes(response->mutable_decision());
    FillTimes(response);
    return grpc::Status::OK;
  };
  const Answer answer = client_->Check(SomeRecording(), kQuestion, {std::chrono::milliseconds(50)});
  done->count_down();
  ExpectNo(answer);
  EXPECT_EQ(answer.error().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(FailuresTest, IdsThatAreNotUtf8AreNoAndNotSent) {
  Recording bad = SomeRecording("\xc3(");
  const Answer answer = client_->Check(bad, kQuestion);
  ExpectNo(answer);
  EXPECT_EQ(answer.error().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(seen_.recording().recording_id(), "");
}

class BatchTest : public FailuresTest {
 protected:
  // Asks about three recordings; `answer` makes the reply from a sound one.
  absl::StatusOr<BatchAnswers> AskThree(std::function<void(v1::BatchCheckResponse*)> spoil = {}) {
    daemon_.on_batch = [spoil](grpc::ServerContext&, const v1::BatchCheckRequest& request,
                               v1::BatchCheckResponse* response) {
      for (int i = 0; i < request.recordings_size(); ++i) FillYes(response->add_results()->mutable_decision());
      FillTimes(response);
      if (spoil) spoil(response);
      return grpc::Status::OK;
    };
    return client_->BatchCheck({SomeRecording("r1"), SomeRecording("r2"), SomeRecording("r3")}, kQuestion);
  }
};

TEST_F(BatchTest, SoundAnswersAreYes) {
  const absl::StatusOr<BatchAnswers> batch = AskThree();
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->answers.size(), 3u);
  EXPECT_EQ(batch->Unanswered(), 0u);
  for (const Answer& answer : batch->answers) EXPECT_TRUE(answer.MayUse(Purpose::kHumanReview));
}

TEST_F(BatchTest, ACallThatFailsHasNoAnswers) {
  ASSERT_TRUE(AskThree().ok());
  for (const grpc::StatusCode code : {grpc::StatusCode::PERMISSION_DENIED, grpc::StatusCode::INTERNAL}) {
    daemon_.on_batch = [code](grpc::ServerContext&, const v1::BatchCheckRequest& request,
                              v1::BatchCheckResponse* response) {
      for (int i = 0; i < request.recordings_size(); ++i) FillYes(response->add_results()->mutable_decision());
      FillTimes(response);
      return grpc::Status(code, "no");
    };
    EXPECT_EQ(static_cast<int>(client_->BatchCheck({SomeRecording()}, kQuestion).status().code()), code);
  }
}

TEST_F(BatchTest, TooFewOrTooManyResultsAreAllNo) {
  for (const bool more : {false, true}) {
    const absl::StatusOr<BatchAnswers> batch = AskThree([more](v1::BatchCheckResponse* response) {
      if (more) {
        FillYes(response->add_results()->mutable_decision());
      } else {
        response->mutable_results()->RemoveLast();
      }
    });
    EXPECT_EQ(batch.status().code(), absl::StatusCode::kInternal);
  }
}

TEST_F(BatchTest, AnErrorOrAnEmptyResultIsItsOwnNo) {
  const absl::StatusOr<BatchAnswers> batch = AskThree([](v1::BatchCheckResponse* response) {
    response->mutable_results(0)->mutable_error()->set_reason("INVALID_FIELD");
    response->mutable_results(1)->Clear();
  });
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->answers.size(), 3u);
  EXPECT_EQ(batch->Unanswered(), 2u);
  ExpectNo(batch->answers[0]);
  EXPECT_EQ(ErrorOf(batch->answers[0].error()).reason, "INVALID_FIELD");
  ExpectNo(batch->answers[1]);
  EXPECT_TRUE(batch->answers[2].MayUse(Purpose::kHumanReview));
}

TEST_F(BatchTest, AnIdThatIsNotUtf8DoesNotSpoilTheOthers) {
  ASSERT_TRUE(AskThree().ok());
  const absl::StatusOr<BatchAnswers> batch =
      client_->BatchCheck({SomeRecording("\xff"), SomeRecording("r2")}, kQuestion);
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->answers.size(), 2u);
  EXPECT_EQ(batch->Unanswered(), 1u);
  ExpectNo(batch->answers[0]);
  EXPECT_TRUE(batch->answers[1].MayUse(Purpose::kHumanReview));
}

TEST_F(BatchTest, OutsideOfTheBoundsNothingIsAsked) {
  for (const size_t size : {size_t{0}, kMaxBatch + 1}) {
    const auto batch = client_->BatchCheck(std::vector<Recording>(size, SomeRecording()), kQuestion);
    EXPECT_EQ(batch.status().code(), absl::StatusCode::kInvalidArgument);
  }
  Question question = kQuestion;
  question.place.site = "\xff";
  EXPECT_EQ(client_->BatchCheck({SomeRecording()}, question).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(BatchTest, TheLargestBatchPasses) {
  ASSERT_TRUE(AskThree().ok());
  Recording large = SomeRecording(std::string(128, 'r'));
  large.account_id = AccountId(std::string(128, 'a'));
  for (char c = '0'; c < '8'; ++c) large.profile_ids.emplace_back(std::string(128, c));
  large.device_id = DeviceId(std::string(128, 'd'));
  const auto batch = client_->BatchCheck(std::vector<Recording>(kMaxBatch, large), kQuestion);
  ASSERT_TRUE(batch.ok()) << batch.status();
  for (const Answer& answer : batch->answers) EXPECT_TRUE(answer.MayUse(Purpose::kHumanReview));
}

}  // namespace
}  // namespace consent
