// The calls about reviews: what is repeated, and that nothing but a whole yes is one.
#include "consent/reviews.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "consent/v1/review_service.grpc.pb.h"
#include "tests/unit/client/fake_daemon.h"

namespace consent::reviews_test {
namespace {

using std::chrono::seconds;
using testing::FakeClock;
using testing::FakeRandom;
using testing::RpcError;

// Every call fails with `status` as long as that is not OK, or else is answered as the members say.
class FakeReviewService final : public v1::ReviewService::Service {
 public:
  grpc::Status status;
  int failures = 0;  // so many first calls fail
  std::function<void()> on_call = [] {};
  v1::LeaseReviewsResponse leased;
  v1::OpenMediaResponse opened;
  v1::RedeemMediaResponse redeemed;
  v1::GetMediaKeyResponse key;
  std::vector<std::string> seen;

  grpc::Status LeaseReviews(grpc::ServerContext*, const v1::LeaseReviewsRequest* request,
                            v1::LeaseReviewsResponse* response) override {
    return Answer(*request, leased, response);
  }
  grpc::Status OpenMedia(grpc::ServerContext*, const v1::OpenMediaRequest* request,
                         v1::OpenMediaResponse* response) override {
    return Answer(*request, opened, response);
  }
  grpc::Status RedeemMedia(grpc::ServerContext*, const v1::RedeemMediaRequest* request,
                           v1::RedeemMediaResponse* response) override {
    return Answer(*request, redeemed, response);
  }
  grpc::Status SubmitReview(grpc::ServerContext*, const v1::SubmitReviewRequest* request,
                            v1::SubmitReviewResponse* response) override {
    return Answer(*request, {}, response);
  }
  grpc::Status EndReview(grpc::ServerContext*, const v1::EndReviewRequest* request,
                         v1::EndReviewResponse* response) override {
    return Answer(*request, {}, response);
  }
  grpc::Status RenewReview(grpc::ServerContext*, const v1::RenewReviewRequest* request,
                           v1::RenewReviewResponse* response) override {
    v1::RenewReviewResponse renewed;
    renewed.mutable_expires_at()->set_seconds(9);
    return Answer(*request, renewed, response);
  }
  grpc::Status RevokeReviews(grpc::ServerContext*, const v1::RevokeReviewsRequest* request,
                             v1::RevokeReviewsResponse* response) override {
    v1::RevokeReviewsResponse revoked;
    revoked.mutable_revoked_at()->set_seconds(8);
    return Answer(*request, revoked, response);
  }
  grpc::Status ListGrants(grpc::ServerContext*, const v1::ListGrantsRequest* request,
                          v1::ListGrantsResponse* response) override {
    v1::ListGrantsResponse page;
    v1::GrantView& view = *page.add_grants();
    view.set_grant_id("g");
    view.set_pseudonym("p");
    view.set_state(v1::GRANT_STATE_ENDED);
    view.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
    view.mutable_place()->set_country("RO");
    view.mutable_place()->set_site("cluj");
    view.mutable_place()->set_reviewer_class(v1::REVIEWER_CLASS_EMPLOYEE);
    view.set_reviewer("anna-7");
    view.set_selection(v1::SELECTION_RANDOM);
    view.mutable_given_at()->set_seconds(3);
    view.mutable_expires_at()->set_seconds(4);
    view.set_opens(2);
    view.set_redeems(1);
    view.set_offline_opens(3);
    view.set_outcome(v1::REVIEW_OUTCOME_SAFETY);
    page.set_next_page_token("next");
    return Answer(*request, page, response);
  }
  grpc::Status ListHeard(grpc::ServerContext*, const v1::ListHeardRequest* request,
                         v1::ListHeardResponse* response) override {
    v1::ListHeardResponse list;
    v1::HeardView& view = *list.add_heard();
    view.mutable_heard_at()->set_seconds(5);
    view.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
    view.set_country("RO");
    view.set_reviewer_class(v1::REVIEWER_CLASS_CONTRACTOR);
    view.set_outcome(v1::REVIEW_OUTCOME_SKIPPED);
    list.set_is_cut(true);
    return Answer(*request, list, response);
  }
  grpc::Status ReportPopulation(grpc::ServerContext*, const v1::ReportPopulationRequest* request,
                                v1::ReportPopulationResponse* response) override {
    return Answer(*request, {}, response);
  }
  grpc::Status ListReviewRates(grpc::ServerContext*, const v1::ListReviewRatesRequest* request,
                               v1::ListReviewRatesResponse* response) override {
    v1::ListReviewRatesResponse list;
    v1::ReviewRateView& view = *list.add_rates();
    view.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
    view.set_country("DE");
    view.set_heard(3);
    view.set_utterances(1'000'000'000'000);
    view.set_allowed_parts_per_million(2'000);
    view.mutable_measured()->set_parts_per_million(6);
    view.mutable_measured()->set_low(5.5);
    view.mutable_measured()->set_high(7.5);
    list.add_rates()->set_heard(4);
    return Answer(*request, list, response);
  }
  grpc::Status GetMediaKey(grpc::ServerContext*, const v1::GetMediaKeyRequest* request,
                           v1::GetMediaKeyResponse* response) override {
    return Answer(*request, key, response);
  }

 private:
  template <typename Request, typename Response>
  grpc::Status Answer(const Request& request, const Response& answer, Response* response) {
    seen.push_back(request.SerializeAsString());
    on_call();
    if (failures-- > 0) return RpcError(grpc::StatusCode::UNAVAILABLE, "OUTCOME_UNKNOWN");
    *response = answer;
    return status;
  }
};

class ReviewsTest : public ::testing::Test {
 protected:
  ReviewsTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ClientOptions options;
    options.endpoint = "127.0.0.1:" + std::to_string(port);
    options.deadline = seconds(30);
    options.clock = clock_;
    options.random = std::make_shared<FakeRandom>();
    client_ = *Client::Create(std::move(options));
    service_.opened.set_media_token("t");
    service_.opened.set_life_seconds(120);
  }
  ~ReviewsTest() override { server_->Shutdown(); }

  Reviews& reviews() { return client_->reviews(); }
  static ReviewOrder Order(size_t recordings) {
    ReviewOrder order;
    order.purpose = Purpose::kHumanReview;
    order.place = {"RO", "cluj", ReviewerClass::kEmployee};
    order.reviewer = "anna-7";
    order.selection = Selection::kRandom;
    order.recordings.resize(recordings);
    for (size_t i = 0; i < recordings; ++i) order.recordings[i].recording_id = RecordingId("r" + std::to_string(i));
    return order;
  }
  void AddGrant(const std::string& id, uint64_t fence) {
    v1::ReviewGrant& grant = *service_.leased.add_results()->mutable_grant();
    grant.set_grant_id(id);
    grant.set_fence(fence);
    grant.set_pseudonym("pseudonym");
    grant.set_media_handle("media");
    grant.mutable_expires_at()->set_seconds(7);
  }

  const GrantName grant_{"g", 3};
  FakeReviewService service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::unique_ptr<Client> client_;
};

TEST_F(ReviewsTest, ALeaseSaysAllAndEachRecordingHasItsAnswer) {
  AddGrant("g", 3);
  v1::ReviewRefusal& refusal = *service_.leased.add_results()->mutable_refusal();
  refusal.set_refusal(v1::GRANT_REFUSAL_NOT_ELIGIBLE);
  refusal.add_reasons(v1::REASON_WITHDRAWN);
  service_.leased.add_results()->mutable_error()->set_reason("INVALID_FIELD");
  service_.leased.add_results();
  AddGrant("", 3);
  AddGrant("g", 0);
  service_.leased.add_results()->mutable_refusal()->set_refusal(static_cast<v1::GrantRefusal>(99));
  const auto results = reviews().Lease(Order(7));
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 7u);
  ASSERT_TRUE(results->at(0).grant.has_value());
  EXPECT_EQ(results->at(0).grant->name, grant_);
  EXPECT_EQ(results->at(0).grant->pseudonym + results->at(0).grant->media_handle, "pseudonymmedia");
  EXPECT_EQ(results->at(0).grant->expires_at, Time(seconds(7)));
  EXPECT_EQ(results->at(1).refusal, GrantRefusal::kNotEligible);
  EXPECT_EQ(results->at(1).reasons, std::vector<Reason>{Reason::kWithdrawn});
  EXPECT_TRUE(results->at(1).error.ok());
  EXPECT_EQ(ErrorOf(results->at(2).error).reason, "INVALID_FIELD");
  for (size_t i = 1; i < 7; ++i) EXPECT_FALSE(results->at(i).grant.has_value()) << i;
  for (const size_t i : {3u, 4u, 5u}) EXPECT_EQ(results->at(i).error.code(), absl::StatusCode::kInternal) << i;
  EXPECT_EQ(results->at(6).refusal, GrantRefusal::kUnset);
  v1::LeaseReviewsRequest request;
  ASSERT_TRUE(request.ParseFromString(service_.seen.at(0)));
  EXPECT_EQ(request.purpose(), v1::PURPOSE_HUMAN_REVIEW);
  EXPECT_EQ(request.place().country() + request.place().site() + request.reviewer(), "ROclujanna-7");
  EXPECT_EQ(request.selection(), v1::SELECTION_RANDOM);
  EXPECT_EQ(request.recordings(6).recording_id(), "r6");
}

TEST_F(ReviewsTest, ALeaseThatIsAnsweredShortOrLongGivesNothing) {
  for (const int count : {0, 1, 3}) {
    service_.leased.Clear();
    for (int i = 0; i < count; ++i) AddGrant("g", 1);
    EXPECT_EQ(reviews().Lease(Order(2)).status().code(), absl::StatusCode::kInternal) << count;
  }
  const size_t calls = service_.seen.size();
  for (const size_t count : {size_t{0}, kMaxLeases + 1}) {
    EXPECT_EQ(reviews().Lease(Order(count)).status().code(), absl::StatusCode::kInvalidArgument) << count;
  }
  EXPECT_EQ(service_.seen.size(), calls) << "nothing was asked";
}

TEST_F(ReviewsTest, APassLivesNoLongerThanItsToken) {
  for (const auto& [life, expected] : std::vector<std::pair<int, int>>{{10, 10}, {1, 1}, {3'600, 120}}) {
    service_.opened.set_life_seconds(life);
    const MediaPass pass = reviews().Open(grant_, "vault");
    clock_->Advance(seconds(expected) - std::chrono::nanoseconds(1));
    EXPECT_TRUE(pass.MayPlay()) << life;
    clock_->Advance(std::chrono::nanoseconds(1));
    EXPECT_FALSE(pass.MayPlay()) << life;
  }
  for (const int life : {0, -1}) {
    service_.opened.set_life_seconds(life);
    EXPECT_EQ(reviews().Open(grant_, "vault").error().code(), absl::StatusCode::kInternal) << life;
  }
}

TEST_F(ReviewsTest, ASubmissionSaysWhatWasFound) {
  Submission submission;
  submission.digest.fill('d');
  submission.flags = {Flag::kSafety, Flag::kChildPresent};
  ASSERT_TRUE(reviews().Submit(grant_, submission).ok());
  ASSERT_TRUE(reviews().Submit(grant_, {}).ok());
  v1::SubmitReviewRequest request;
  ASSERT_TRUE(request.ParseFromString(service_.seen.at(0)));
  EXPECT_EQ(request.grant_id() + request.digest(), "g" + std::string(32, 'd'));
  EXPECT_EQ(request.fence(), 3u);
  ASSERT_EQ(request.flags_size(), 2);
  EXPECT_EQ(request.flags(0), v1::FLAG_SAFETY);
  EXPECT_EQ(request.flags(1), v1::FLAG_CHILD_PRESENT);
  ASSERT_TRUE(request.ParseFromString(service_.seen.at(1)));
  EXPECT_EQ(request.flags_size(), 0);
}

TEST_F(ReviewsTest, APassIsOneForTwoMinutesFromSending) {
  EXPECT_FALSE(MediaPass().MayPlay());
  EXPECT_FALSE(MediaPass().error().ok());
  service_.on_call = [this] { clock_->Advance(seconds(20)); };  // the reply is late
  const MediaPass pass = reviews().Open(grant_, "audio");
  EXPECT_TRUE(pass.MayPlay()) << pass.error();
  EXPECT_EQ(pass.token(), "t");
  clock_->Advance(seconds(100) - std::chrono::nanoseconds(1));
  EXPECT_TRUE(pass.MayPlay());
  clock_->Advance(std::chrono::nanoseconds(1));
  EXPECT_FALSE(pass.MayPlay());
  EXPECT_EQ(pass.token(), "");
  v1::OpenMediaRequest request;
  ASSERT_TRUE(request.ParseFromString(service_.seen.at(0)));
  EXPECT_EQ(request.grant_id() + request.audience(), "gaudio");
  EXPECT_EQ(request.fence(), 3u);
}

TEST_F(ReviewsTest, WhateverGoesWrongIsNoPass) {
  service_.opened.clear_media_token();
  EXPECT_FALSE(reviews().Open(grant_, "audio").MayPlay()) << "a reply without a token";
  service_.opened.set_media_token("t");
  service_.status = RpcError(grpc::StatusCode::FAILED_PRECONDITION, "GRANT_ENDED");
  const MediaPass ended = reviews().Open(grant_, "audio");
  EXPECT_FALSE(ended.MayPlay());
  EXPECT_EQ(ended.token(), "");
  EXPECT_EQ(ErrorOf(ended.error()).reason, "GRANT_ENDED");
  service_.status = grpc::Status::OK;
  service_.on_call = [this] { clock_->Advance(seconds(120)); };
  EXPECT_FALSE(reviews().Open(grant_, "audio").MayPlay()) << "it came too late";
  server_->Shutdown();
  CallOptions soon;
  soon.deadline = std::chrono::milliseconds(50);
  EXPECT_FALSE(reviews().Open(grant_, "audio", soon).MayPlay()) << "nobody answers";
}

TEST_F(ReviewsTest, WhatMayHaveBeenDoneIsNotRepeatedAndTheRestIs) {
  AddGrant("g", 3);
  service_.redeemed.set_recording_id("r");
  service_.redeemed.set_artefact(v1::ARTEFACT_SOURCE);
  service_.key.set_public_key(std::string(32, 'k'));
  RevokeOrder revoke;
  revoke.site = "cluj";
  const std::vector<std::pair<size_t, std::function<absl::Status()>>> calls = {
      {1, [&] { return reviews().Lease(Order(1)).status(); }},
      {1, [&] { return reviews().Open(grant_, "audio").error(); }},
      {1, [&] { return reviews().Redeem("audio", "t").status(); }},
      {1, [&] { return reviews().Renew(grant_).status(); }},
      {3, [&] { return reviews().Submit(grant_, {}); }},
      {3, [&] { return reviews().End(grant_, ReviewOutcome::kSafety); }},
      {3, [&] { return reviews().Revoke(revoke).status(); }},
      {3, [&] { return reviews().ListGrants({}).status(); }},
      {3, [&] { return reviews().ListHeard(AccountId("a")).status(); }},
      {3,
       [&] {
         return reviews().ReportPopulation("2026-11-30T07", {{"DE", 1}});
       }},
      {3, [&] { return reviews().ListRates("").status(); }},
      {3, [&] { return reviews().GetMediaKey().status(); }}};
  for (size_t i = 0; i < calls.size(); ++i) {
    service_.seen.clear();
    service_.failures = 2;
    EXPECT_EQ(calls[i].second().ok(), calls[i].first == 3) << i;
    EXPECT_EQ(service_.seen.size(), calls[i].first) << i;
    for (const std::string& request : service_.seen) EXPECT_EQ(request, service_.seen[0]) << i;
  }
}

TEST_F(ReviewsTest, ARedemptionThatDoesNotSayWhatGivesNothingOut) {
  EXPECT_EQ(reviews().Redeem("audio", "t").status().code(), absl::StatusCode::kInternal);
  service_.redeemed.set_account_id("a");
  service_.redeemed.set_recording_id("r");
  service_.redeemed.set_site("cluj");
  EXPECT_EQ(reviews().Redeem("audio", "t").status().code(), absl::StatusCode::kInternal) << "no artefact";
  service_.redeemed.set_artefact(static_cast<v1::Artefact>(99));
  EXPECT_EQ(reviews().Redeem("audio", "t").status().code(), absl::StatusCode::kInternal) << "one of later";
  service_.redeemed.set_artefact(v1::ARTEFACT_TRANSCRIPT);
  const auto media = reviews().Redeem("audio", "t");
  ASSERT_TRUE(media.ok()) << media.status();
  EXPECT_EQ(media->account_id.value() + media->recording_id.value() + media->site, "arcluj");
  EXPECT_EQ(media->artefact, Artefact::kTranscript);
  v1::RedeemMediaRequest request;
  ASSERT_TRUE(request.ParseFromString(service_.seen.back()));
  EXPECT_EQ(request.system() + request.media_token(), "audiot");
}

TEST_F(ReviewsTest, OnlyOneThingIsRevoked) {
  RevokeOrder order;
  order.reason = "left the company";
  EXPECT_EQ(reviews().Revoke(order).status().code(), absl::StatusCode::kInvalidArgument);
  order.reviewer = "anna-7";
  order.all = true;
  EXPECT_EQ(reviews().Revoke(order).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(service_.seen.empty());
  order.all = false;
  const auto revoked = reviews().Revoke(order);
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_EQ(*revoked, Time(seconds(8)));
  v1::RevokeReviewsRequest request;
  ASSERT_TRUE(request.ParseFromString(service_.seen.at(0)));
  EXPECT_EQ(request.reviewer() + "/" + request.reason(), "anna-7/left the company");
  EXPECT_EQ(request.of_case(), v1::RevokeReviewsRequest::kReviewer);
}

TEST_F(ReviewsTest, ListsAreReadInFull) {
  const auto page = reviews().ListGrants({GrantState::kEnded, 5, "t", {}});
  ASSERT_TRUE(page.ok()) << page.status();
  v1::ListGrantsRequest request;
  ASSERT_TRUE(request.ParseFromString(service_.seen.at(0)));
  EXPECT_EQ(request.state(), v1::GRANT_STATE_ENDED);
  EXPECT_EQ(std::to_string(request.page_size()) + request.page_token(), "5t");
  ASSERT_EQ(page->grants.size(), 1u);
  const GrantShown& shown = page->grants[0];
  EXPECT_EQ(shown.grant_id + shown.pseudonym + shown.reviewer, "gpanna-7");
  EXPECT_EQ(shown.state, GrantState::kEnded);
  EXPECT_EQ(shown.purpose, Purpose::kHumanReview);
  EXPECT_EQ(shown.place, (Place{"RO", "cluj", ReviewerClass::kEmployee}));
  EXPECT_EQ(shown.selection, Selection::kRandom);
  EXPECT_EQ(shown.given_at, Time(seconds(3)));
  EXPECT_EQ(shown.expires_at, Time(seconds(4)));
  EXPECT_EQ(std::to_string(shown.opens) + std::to_string(shown.redeems) + std::to_string(shown.offline_opens), "213");
  EXPECT_EQ(shown.outcome, ReviewOutcome::kSafety);
  EXPECT_EQ(page->next_page_token, "next");

  const auto list = reviews().ListHeard(AccountId("a"));
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->heard.size(), 1u);
  EXPECT_EQ(list->heard[0].heard_at, Time(seconds(5)));
  EXPECT_EQ(list->heard[0].purpose, Purpose::kHumanReview);
  EXPECT_EQ(list->heard[0].country, "RO");
  EXPECT_EQ(list->heard[0].reviewer, ReviewerClass::kContractor);
  EXPECT_EQ(list->heard[0].outcome, ReviewOutcome::kSkipped);
  EXPECT_TRUE(list->is_cut);
}

TEST_F(ReviewsTest, APopulationIsSentInFullAndRatesAreReadInFull) {
  ASSERT_TRUE(reviews().ReportPopulation("2026-11-30T07", {{"DE", 120'000}, {"FR", 0}}).ok());
  v1::ReportPopulationRequest report;
  ASSERT_TRUE(report.ParseFromString(service_.seen.at(0)));
  EXPECT_EQ(report.hour(), "2026-11-30T07");
  ASSERT_EQ(report.counts_size(), 2);
  EXPECT_EQ(report.counts(0).country() + std::to_string(report.counts(0).utterances()), "DE120000");
  EXPECT_EQ(report.counts(1).country() + std::to_string(report.counts(1).utterances()), "FR0");

  const auto rates = reviews().ListRates("2026-10");
  ASSERT_TRUE(rates.ok()) << rates.status();
  v1::ListReviewRatesRequest request;
  ASSERT_TRUE(request.ParseFromString(service_.seen.at(1)));
  EXPECT_EQ(request.month(), "2026-10");
  ASSERT_EQ(rates->size(), 2u);
  const HeardRate& rate = rates->at(0);
  EXPECT_EQ(rate.purpose, Purpose::kHumanReview);
  EXPECT_EQ(rate.country, "DE");
  EXPECT_EQ(rate.heard, 3);
  EXPECT_EQ(rate.utterances, 1'000'000'000'000);
  EXPECT_EQ(rate.allowed_parts_per_million, 2'000);
  ASSERT_TRUE(rate.measured.has_value());
  EXPECT_EQ(rate.measured->parts_per_million, 6);
  EXPECT_EQ(rate.measured->low, 5.5);
  EXPECT_EQ(rate.measured->high, 7.5);
  EXPECT_EQ(rates->at(1).heard, 4);
  EXPECT_FALSE(rates->at(1).measured.has_value()) << "nobody reported is not a rate of 0";
}

TEST_F(ReviewsTest, AKeyHas32Bytes) {
  for (const size_t size : {0u, 31u, 33u}) {
    service_.key.set_public_key(std::string(size, 'k'));
    EXPECT_EQ(reviews().GetMediaKey().status().code(), absl::StatusCode::kInternal) << size;
  }
  service_.key.set_public_key(std::string(31, 'k') + "z");
  const auto key = reviews().GetMediaKey();
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->at(0), 'k');
  EXPECT_EQ(key->at(31), 'z');
  EXPECT_EQ(reviews().Renew(grant_).value(), Time(seconds(9)));
}

}  // namespace
}  // namespace consent::reviews_test
