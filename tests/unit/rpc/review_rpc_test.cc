// ReviewService over a real channel: a grant from its lease to what the person is told, and that no yes is told which
// is not on record.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/rpc/busy.h"
#include "tests/unit/rpc/services_fixture.h"

namespace consent::test {
namespace {

using Stub = v1::ReviewService::Stub;

class ReviewRpcTest : public ServicesTest {
 protected:
  ReviewRpcTest() {
    PolicyBuilder policy("marked");
    policy.policy().add_recorded_purposes(v1::PURPOSE_HUMAN_REVIEW);
    EXPECT_TRUE(world_.Activate(policy).ok());
    OptIn();
  }
  v1::LeaseReviewsResponse Lease(const std::vector<v1::Recording>& recordings, const std::string& reviewer = "r1") {
    v1::LeaseReviewsRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kPlace, &request));
    request.set_reviewer(reviewer);
    for (const v1::Recording& recording : recordings) *request.add_recordings() = recording;
    return Send(review_stub_, &Stub::LeaseReviews, request);
  }
  static std::string Named(const v1::ReviewGrant& grant) {
    return "grant_id: \"" + grant.grant_id() + "\" fence: " + std::to_string(grant.fence());
  }
};

TEST_F(ReviewRpcTest, AGrantFromItsLeaseToWhatThePersonIsTold) {
  const auto leased = Lease({Clean("a"), Clean("nobody"), Clean("")});
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_EQ(leased.results_size(), 3);
  ASSERT_TRUE(leased.results(0).has_grant()) << leased.ShortDebugString();
  EXPECT_EQ(leased.results(1).refusal().refusal(), v1::GRANT_REFUSAL_NOT_ELIGIBLE);
  EXPECT_EQ(leased.results(1).refusal().reasons(0), v1::REASON_UNKNOWN_SUBJECT);
  EXPECT_EQ(leased.results(2).error().reason(), "INVALID_FIELD");
  const v1::ReviewGrant& grant = leased.results(0).grant();
  EXPECT_EQ(grant.pseudonym().size(), 32U);
  EXPECT_EQ(grant.media_handle().size(), 32U);
  EXPECT_EQ(Lease({Clean("a")}, "r2").results(0).refusal().refusal(), v1::GRANT_REFUSAL_GRANTED);
  EXPECT_EQ(Lease({Clean("a", "other")}).results(0).refusal().refusal(), v1::GRANT_REFUSAL_HEARD_RECENTLY);

  const auto opened = Call(review_stub_, &Stub::OpenMedia, Named(grant) + R"( audience: "audio")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(opened.life_seconds(), 120);
  const std::string redeem = R"(system: "audio" media_token: ")" + opened.media_token() + "\"";
  const auto redeemed = Call(review_stub_, &Stub::RedeemMedia, redeem);
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(redeemed.account_id(), "a");
  EXPECT_EQ(redeemed.recording_id(), "r");
  EXPECT_EQ(redeemed.artefact(), v1::ARTEFACT_SOURCE);
  EXPECT_EQ(redeemed.site(), "site");
  Call(review_stub_, &Stub::RedeemMedia, redeem);
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  Call(review_stub_, &Stub::RenewReview, Named(grant));
  EXPECT_TRUE(status_.ok());
  Call(review_stub_, &Stub::SubmitReview, Named(grant) + R"( digest: "0123456789abcdef0123456789abcdef")");
  EXPECT_TRUE(status_.ok());
  Call(review_stub_, &Stub::OpenMedia, Named(grant) + R"( audience: "audio")");
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  Call(review_stub_, &Stub::EndReview, Named(grant) + " outcome: REVIEW_OUTCOME_SAFETY");
  EXPECT_TRUE(status_.ok());

  const auto listed = Call(review_stub_, &Stub::ListGrants, "state: GRANT_STATE_SUBMITTED");
  ASSERT_EQ(listed.grants_size(), 1) << listed.ShortDebugString();
  EXPECT_EQ(listed.grants(0).pseudonym(), grant.pseudonym());
  EXPECT_EQ(listed.grants(0).reviewer(), "r1");
  EXPECT_EQ(listed.grants(0).redeems(), 1U);
  const auto named =
      Call(review_stub_, &Stub::ListGrants, R"(grant_ids: "no grant" grant_ids: ")" + grant.grant_id() + "\"");
  ASSERT_EQ(named.grants_size(), 1) << named.ShortDebugString();
  EXPECT_EQ(named.grants(0).ShortDebugString(), listed.grants(0).ShortDebugString());
  Call(review_stub_, &Stub::ListGrants, R"(grant_ids: "x" page_size: 7)");
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto heard = Call(review_stub_, &Stub::ListHeard, R"(account_id: "a")");
  ASSERT_EQ(heard.heard_size(), 1);
  EXPECT_EQ(heard.heard(0).country(), "DE");
  EXPECT_EQ(heard.heard(0).outcome(), v1::REVIEW_OUTCOME_SUBMITTED);
  EXPECT_EQ(Call(review_stub_, &Stub::GetMediaKey, "").public_key().size(), 32U);
}

TEST_F(ReviewRpcTest, ARevocationEndsWhatItNames) {
  const auto leased = Lease({Clean("a")});
  ASSERT_TRUE(leased.results(0).has_grant());
  const std::string open = Named(leased.results(0).grant()) + R"( audience: "audio")";
  Call(review_stub_, &Stub::RevokeReviews, R"(reviewer: "r2" reason: "left")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  Call(review_stub_, &Stub::OpenMedia, open);
  EXPECT_TRUE(status_.ok());
  Call(review_stub_, &Stub::RevokeReviews, R"(reviewer: "r1" reason: "left")");
  Call(review_stub_, &Stub::OpenMedia, open);
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(ReviewRpcTest, FlagsOfASubmissionAreStoredWhateverBecomesOfIt) {
  const auto leased = Lease({Clean("a")});
  ASSERT_TRUE(leased.results(0).has_grant());
  const std::string submit =
      Named(leased.results(0).grant()) + R"( digest: "0123456789abcdef0123456789abcdef" flags: )";
  const auto flags = [this] {
    domain::RecordingState marks;
    (void)world_.core().index.FindMarks(world_.Handle("a"), world_.core().hasher.Recording("r"), &marks);
    return marks.flags;
  };
  Call(review_stub_, &Stub::SubmitReview, submit + "FLAG_CHILD_PRESENT");
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  EXPECT_EQ(flags(), domain::Flags::kChildPresent);
  EXPECT_EQ(Call(review_stub_, &Stub::ListGrants, "state: GRANT_STATE_SUBMITTED").grants_size(), 1);
  Call(review_stub_, &Stub::SubmitReview, submit + "FLAG_CHILD_PRESENT");
  EXPECT_TRUE(status_.ok()) << "the same again";
  const std::string other = Named(leased.results(0).grant()) + R"( digest: "another one, of thirty two bytes" flags: )";
  Call(review_stub_, &Stub::SubmitReview, other + "FLAG_SAFETY");
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(flags(), domain::Flags::kChildPresent | domain::Flags::kSafety) << "it is refused, and its flag counts";
  EXPECT_EQ(world_.core().safety_flags.open(), 1U);
}

// Uses of grants wait for their commits, and a flood of them holds up neither reads nor what restricts; nor do these
// hold up them.
TEST_F(ReviewRpcTest, UsesOfGrantsAndWhatRestrictsDoNotWaitForEachOther) {
  const std::string digest = R"( digest: "0123456789abcdef0123456789abcdef")";
  v1::ReviewGrant grant;
  {
    const Busy reader(readers_);
    const Busy other_reader(readers_);
    const Busy restrictions(restrictions_);
    grant = Lease({Clean("a")}).results(0).grant();
    const auto opened = Call(review_stub_, &Stub::OpenMedia, Named(grant) + R"( audience: "audio")");
    Call(review_stub_, &Stub::RedeemMedia, R"(system: "audio" media_token: ")" + opened.media_token() + "\"");
    EXPECT_TRUE(status_.ok()) << status_.error_message();
    Call(review_stub_, &Stub::RenewReview, Named(grant));
    EXPECT_TRUE(status_.ok()) << status_.error_message();
    Call(review_stub_, &Stub::SubmitReview, Named(grant) + digest);
    EXPECT_TRUE(status_.ok()) << status_.error_message();
    Call(review_stub_, &Stub::EndReview, Named(grant) + " outcome: REVIEW_OUTCOME_SKIPPED");
    EXPECT_TRUE(status_.ok()) << status_.error_message();
  }
  const Busy use(grants_);
  const Busy other_use(grants_);
  Call(review_stub_, &Stub::ListGrants, "");
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  Call(review_stub_, &Stub::SubmitReview, Named(grant) + digest + " flags: FLAG_ACCIDENTAL");
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  Call(review_stub_, &Stub::EndReview, Named(grant) + " outcome: REVIEW_OUTCOME_SAFETY");
  EXPECT_TRUE(status_.ok()) << status_.error_message();
  Call(review_stub_, &Stub::RevokeReviews, R"(all: true reason: "left")");
  EXPECT_TRUE(status_.ok()) << status_.error_message();
}

TEST_F(ReviewRpcTest, ARateAllowsPartOfWhatWasReportedAndIsMeasured) {
  PolicyBuilder policy("rated");
  policy.Caps().mutable_rates(0)->set_parts_per_million(250'000);
  ASSERT_TRUE(world_.Activate(policy).ok());
  const auto refused = Lease({Clean("a")});
  EXPECT_EQ(refused.results(0).refusal().refusal(), v1::GRANT_REFUSAL_NOT_ELIGIBLE);
  ASSERT_EQ(refused.results(0).refusal().reasons_size(), 1) << refused.ShortDebugString();
  EXPECT_EQ(refused.results(0).refusal().reasons(0), v1::REASON_CAP_SPENT);
  const std::string hour = base::FormatRfc3339(world_.Now()).substr(0, 13);
  Call(review_stub_, &Stub::ReportPopulation, "hour: \"" + hour + R"(" counts { country: "UK" utterances: 4 })");
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << "no recording would count for it";
  EXPECT_NE(status_.error_message().find("GB is meant"), std::string::npos) << status_.error_message();
  Call(review_stub_, &Stub::ReportPopulation, "hour: \"" + hour + R"(" counts { country: "DE" utterances: 4 })");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  const auto leased = Lease({Clean("a")});
  ASSERT_TRUE(leased.results(0).has_grant()) << leased.ShortDebugString();
  EXPECT_EQ(Lease({Clean("a", "other")}, "r2").results(0).refusal().reasons(0), v1::REASON_CAP_SPENT);
  const auto given = Call(review_stub_, &Stub::ListReviewRates, "");
  ASSERT_EQ(given.rates_size(), 1) << given.ShortDebugString();
  EXPECT_EQ(given.rates(0).heard(), 0) << "nobody has opened it";
  Call(review_stub_, &Stub::OpenMedia, Named(leased.results(0).grant()) + R"( audience: "audio")");
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  const v1::ReviewRateView rate = Call(review_stub_, &Stub::ListReviewRates, "").rates(0);
  EXPECT_EQ(rate.purpose(), v1::PURPOSE_HUMAN_REVIEW);
  EXPECT_EQ(rate.country(), "DE");
  EXPECT_EQ(rate.heard(), 1);
  EXPECT_EQ(rate.utterances(), 4);
  EXPECT_EQ(rate.allowed_parts_per_million(), 250'000);
  EXPECT_DOUBLE_EQ(rate.measured().parts_per_million(), 250'000);
  EXPECT_LT(rate.measured().low(), 250'000);
  EXPECT_GT(rate.measured().high(), 250'000);
  EXPECT_EQ(Call(review_stub_, &Stub::ListReviewRates, R"(month: "2020-01")").rates_size(), 0);
}

TEST_F(ReviewRpcTest, AYesThatCannotBeRecordedIsNoGrant) {
  log_fails_ = true;
  const auto refused = Lease({Clean("a")});
  ASSERT_TRUE(status_.ok()) << status_.error_message();
  ASSERT_TRUE(refused.results(0).has_refusal()) << refused.ShortDebugString();
  EXPECT_EQ(refused.results(0).refusal().refusal(), v1::GRANT_REFUSAL_NOT_ELIGIBLE);
  EXPECT_EQ(refused.results(0).refusal().reasons(0), v1::REASON_NOT_RECORDED);
  EXPECT_EQ(Call(review_stub_, &Stub::ListGrants, "state: GRANT_STATE_LIVE").grants_size(), 0) << "it was taken back";
  log_fails_ = false;
  EXPECT_TRUE(Lease({Clean("a")}, "r2").results(0).has_grant());
}

}  // namespace
}  // namespace consent::test
