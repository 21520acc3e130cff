// Writes: what is repeated carries the same request_id and the same etag; what has no request_id is never repeated.
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "tests/unit/client/fake_daemon.h"

namespace consent::writes_test {
namespace {

using testing::FakeClock;
using testing::FakeDaemon;
using testing::RpcError;

constexpr auto kUnavailable = grpc::StatusCode::UNAVAILABLE;

class WritesTest : public ::testing::Test {
 protected:
  // A handler that fails `failures` times, then succeeds, and keeps what it saw.
  template <typename Request, typename Response>
  auto Failing(int failures, std::vector<Request>* seen,
               grpc::Status failure = RpcError(kUnavailable, "OUTCOME_UNKNOWN")) {
    return [=](grpc::ServerContext&, const Request& request, Response*) {
      seen->push_back(request);
      return static_cast<int>(seen->size()) <= failures ? failure : grpc::Status::OK;
    };
  }
  static bool LooksLikeUuid(const std::string& id) {
    return id.size() == 36 && id[8] == '-' && id[13] == '-' && id[14] == '4' && id[18] == '-' && id[23] == '-';
  }
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.Connect(clock_);
};

TEST_F(WritesTest, RepetitionsOfOneOptOutAreOneRequest) {
  std::vector<v1::OptOutRequest> seen;
  daemon_.on_opt_out = Failing<v1::OptOutRequest, v1::OptOutResponse>(2, &seen);
  OptOutOrder order;
  order.account_id = AccountId("a");
  order.targets = {{"", Purpose::kUnset, true}};
  EXPECT_TRUE(client_->OptOut(order).ok());
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_TRUE(LooksLikeUuid(seen[0].request_id())) << seen[0].request_id();
  for (const auto& request : seen) EXPECT_EQ(request.SerializeAsString(), seen[0].SerializeAsString());
  EXPECT_TRUE(client_->OptOut(order).ok());
  EXPECT_NE(seen[3].request_id(), seen[0].request_id()) << "another call is another request";
}

TEST_F(WritesTest, TheCallersRequestIdIsKept) {
  std::vector<v1::ReportRecordingRequest> seen;
  daemon_.on_report = Failing<v1::ReportRecordingRequest, v1::ReportRecordingResponse>(1, &seen);
  RecordingReport report;
  report.request_id = RequestId("mine");
  EXPECT_TRUE(client_->ReportRecording(report).ok());
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].request_id(), "mine");
  EXPECT_EQ(seen[1].request_id(), "mine");
}

TEST_F(WritesTest, ALooseningIsRepeatedWithItsOwnEtagAndNoneIsRead) {
  std::vector<v1::UpdateSettingsRequest> seen;
  int reads = 0;
  daemon_.on_update = Failing<v1::UpdateSettingsRequest, v1::UpdateSettingsResponse>(2, &seen);
  daemon_.on_get_settings = [&reads](grpc::ServerContext&, const v1::GetSettingsRequest&, v1::GetSettingsResponse*) {
    ++reads;
    return grpc::Status::OK;
  };
  SettingsUpdate update;
  update.account_id = AccountId("a");
  update.etag = Etag("old");
  update.changes = {{{}, {"help_improve", Purpose::kUnset, false}, Switch::kOn}};
  EXPECT_TRUE(client_->UpdateSettings(update).ok());
  ASSERT_EQ(seen.size(), 3u);
  for (const auto& request : seen) EXPECT_EQ(request.etag(), "old");
  EXPECT_EQ(reads, 0);
}

TEST_F(WritesTest, AMismatchOfEtagsIsNotRepeated) {
  std::vector<v1::UpdateSettingsRequest> seen;
  daemon_.on_update = Failing<v1::UpdateSettingsRequest, v1::UpdateSettingsResponse>(
      9, &seen, RpcError(grpc::StatusCode::ABORTED, "ETAG_MISMATCH"));
  const auto done = client_->UpdateSettings({});
  EXPECT_EQ(done.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorOf(done.status()).reason, "ETAG_MISMATCH");
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(WritesTest, OverloadIsRepeatedAndAFullSubjectIsNot) {
  std::vector<v1::UpsertSubjectRequest> seen;
  daemon_.on_upsert = Failing<v1::UpsertSubjectRequest, v1::UpsertSubjectResponse>(
      1, &seen, RpcError(grpc::StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  EXPECT_TRUE(client_->UpsertSubject({}).ok());
  EXPECT_EQ(seen.size(), 2u);
  seen.clear();
  daemon_.on_upsert = Failing<v1::UpsertSubjectRequest, v1::UpsertSubjectResponse>(
      1, &seen, RpcError(grpc::StatusCode::FAILED_PRECONDITION, "SUBJECT_FULL"));
  EXPECT_FALSE(client_->UpsertSubject({}).ok());
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(WritesTest, AnAccountIsStartedAnewOnlyWhereThatIsSaid) {
  std::vector<v1::UpsertSubjectRequest> seen;
  daemon_.on_upsert = Failing<v1::UpsertSubjectRequest, v1::UpsertSubjectResponse>(1, &seen);
  SubjectUpdate update;
  EXPECT_TRUE(client_->UpsertSubject(update).ok());
  update.create_new = true;
  EXPECT_TRUE(client_->UpsertSubject(update).ok());
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_FALSE(seen[0].create_new());
  EXPECT_FALSE(seen[1].create_new()) << "a repetition is the same request";
  EXPECT_TRUE(seen[2].create_new());
}

TEST_F(WritesTest, SuspendAndResumeHaveNoRequestIdAndAreNotRepeated) {
  std::vector<v1::SuspendRequest> suspended;
  std::vector<v1::ResumeRequest> resumed;
  daemon_.on_suspend = Failing<v1::SuspendRequest, v1::SuspendResponse>(1, &suspended);
  daemon_.on_resume = Failing<v1::ResumeRequest, v1::ResumeResponse>(1, &resumed);
  EXPECT_FALSE(client_->Suspend({}).ok());
  EXPECT_FALSE(client_->Resume({}).ok());
  EXPECT_EQ(suspended.size(), 1u);
  EXPECT_EQ(resumed.size(), 1u);
}

TEST_F(WritesTest, AttemptsEnd) {
  std::vector<v1::OptOutRequest> seen;
  daemon_.on_opt_out = Failing<v1::OptOutRequest, v1::OptOutResponse>(99, &seen);
  EXPECT_EQ(client_->OptOut({}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_EQ(clock_->sleeps().size(), 3u);
}

TEST_F(WritesTest, RefusedPartsAreTold) {
  daemon_.on_update = [](grpc::ServerContext&, const v1::UpdateSettingsRequest&, v1::UpdateSettingsResponse* response) {
    response->set_revision("7");
    auto* off = response->add_results();
    off->set_part("scope[0].help_improve");
    off->set_applied(true);
    auto* on = response->add_results();
    on->set_refused_reason("ETAG_MISMATCH");
    return grpc::Status::OK;
  };
  const auto done = client_->UpdateSettings({});
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->revision, Etag("7"));
  ASSERT_EQ(done->results.size(), 2u);
  EXPECT_TRUE(done->results[0].applied);
  EXPECT_FALSE(done->results[1].applied);
  EXPECT_EQ(done->results[1].refused_reason, "ETAG_MISMATCH");
}

}  // namespace
}  // namespace consent::writes_test
