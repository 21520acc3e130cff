// The calls for legal holds: repeated only as the same request.
#include <gtest/gtest.h>

#include "tests/unit/client/fake_daemon.h"

namespace consent {
namespace {

using testing::FakeClock;
using testing::FakeDaemon;
using testing::RpcError;

class HoldCallsTest : public ::testing::Test {
 protected:
  // Fails `failures` times, then answers with a hold, and keeps what it saw.
  template <typename Request, typename Response>
  auto Failing(int failures, std::vector<Request>* seen) {
    return [=](grpc::ServerContext&, const Request& request, Response* response) {
      seen->push_back(request);
      response->mutable_hold()->set_hold_id("h");
      return static_cast<int>(seen->size()) <= failures ? RpcError(grpc::StatusCode::UNAVAILABLE, "OUTCOME_UNKNOWN")
                                                        : grpc::Status::OK;
    };
  }
  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.Connect(std::make_shared<FakeClock>());
};

TEST_F(HoldCallsTest, AnOrderIsRepeatedAsOneRequest) {
  std::vector<v1::PlaceHoldRequest> seen;
  daemon_.on_place_hold = Failing<v1::PlaceHoldRequest, v1::PlaceHoldResponse>(2, &seen);
  PlaceHoldOrder order;
  order.account_id = AccountId("a");
  order.selector.scope = WholeAccount{};
  const auto placed = client_->PlaceHold(order);
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_EQ(placed->hold.hold_id, HoldId("h"));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].request_id().size(), 36u);
  for (const auto& request : seen) EXPECT_EQ(request.SerializeAsString(), seen[0].SerializeAsString());
  order.request_id = RequestId("mine");
  EXPECT_TRUE(client_->PlaceHold(order).ok());
  EXPECT_EQ(seen[3].request_id(), "mine");
}

TEST_F(HoldCallsTest, AReleaseIsRepeatedWithItsOwnEtagAndNoneIsRead) {
  std::vector<v1::ReleaseHoldRequest> seen;
  int reads = 0;
  daemon_.on_release_hold = Failing<v1::ReleaseHoldRequest, v1::ReleaseHoldResponse>(1, &seen);
  daemon_.on_list_holds = [&reads](grpc::ServerContext&, const auto&, auto*) {
    ++reads;
    return grpc::Status::OK;
  };
  EXPECT_TRUE(client_->ReleaseHold({HoldId("h"), Etag("seen"), "court", "settled", {}, RequestId()}).ok());
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].etag(), "seen");
  EXPECT_EQ(seen[1].SerializeAsString(), seen[0].SerializeAsString());
  EXPECT_EQ(reads, 0);
}

TEST_F(HoldCallsTest, AReleaseThatIsRefusedIsNotRepeated) {
  int calls = 0;
  daemon_.on_release_hold = [&calls](grpc::ServerContext&, const auto&, auto*) {
    ++calls;
    return RpcError(grpc::StatusCode::NOT_FOUND, "HOLD_NOT_FOUND");
  };
  EXPECT_EQ(ErrorOf(client_->ReleaseHold({}).status()).reason, "HOLD_NOT_FOUND");
  EXPECT_EQ(calls, 1);
}

TEST_F(HoldCallsTest, AListingIsARead) {
  std::vector<v1::ListHoldsRequest> seen;
  daemon_.on_list_holds = [&seen](grpc::ServerContext&, const v1::ListHoldsRequest& request,
                                  v1::ListHoldsResponse* response) {
    seen.push_back(request);
    if (seen.size() == 1) return RpcError(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING");
    response->add_holds()->set_hold_id("h");
    response->set_next_page_token("next");
    return grpc::Status::OK;
  };
  const auto page = client_->ListHolds({AccountId("a"), true, 10, "t"});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(page->holds.at(0).hold_id, HoldId("h"));
  EXPECT_EQ(page->next_page_token, "next");
}

TEST_F(HoldCallsTest, AReviewAndTheHandlingOfAFlagAreRepeatedUnderOneRequestId) {
  std::vector<v1::ReviewHoldRequest> reviews;
  daemon_.on_review_hold = Failing<v1::ReviewHoldRequest, v1::ReviewHoldResponse>(1, &reviews);
  ReviewHoldOrder review;
  review.hold_id = HoldId("h");
  review.review_at = Time(std::chrono::seconds(7));
  review.reason = "goes on";
  EXPECT_TRUE(client_->ReviewHold(review).ok());
  ASSERT_EQ(reviews.size(), 2u);
  EXPECT_EQ(reviews[0].review_at().seconds(), 7);
  EXPECT_EQ(reviews[0].reason(), "goes on");
  EXPECT_EQ(reviews[0].request_id().size(), 36u);
  EXPECT_EQ(reviews[1].SerializeAsString(), reviews[0].SerializeAsString());

  std::vector<v1::HandleSafetyFlagRequest> handled;
  daemon_.on_handle_flag = [&handled](grpc::ServerContext&, const v1::HandleSafetyFlagRequest& request,
                                      v1::HandleSafetyFlagResponse* response) {
    handled.push_back(request);
    if (handled.size() == 1) return RpcError(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING");
    response->set_revision("r");
    return grpc::Status::OK;
  };
  const auto revision = client_->HandleSafetyFlag({AccountId("a"), RecordingId("r1"), "called", {}, RequestId()});
  ASSERT_TRUE(revision.ok()) << revision.status();
  EXPECT_EQ(*revision, Etag("r"));
  ASSERT_EQ(handled.size(), 2u);
  EXPECT_EQ(handled[0].account_id() + handled[0].recording_id() + handled[0].note(), "ar1called");
  EXPECT_EQ(handled[0].request_id().size(), 36u);
  EXPECT_EQ(handled[1].SerializeAsString(), handled[0].SerializeAsString());

  std::vector<v1::AcknowledgeSafetyFlagRequest> acknowledged;
  daemon_.on_acknowledge_flag = [&acknowledged](grpc::ServerContext&, const v1::AcknowledgeSafetyFlagRequest& request,
                                                v1::AcknowledgeSafetyFlagResponse* response) {
    acknowledged.push_back(request);
    if (acknowledged.size() == 1) return RpcError(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING");
    response->set_revision("s");
    return grpc::Status::OK;
  };
  const auto taken = client_->AcknowledgeSafetyFlag({AccountId("a"), RecordingId("r1"), "mine", {}, RequestId()});
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, Etag("s"));
  ASSERT_EQ(acknowledged.size(), 2u);
  EXPECT_EQ(acknowledged[0].account_id() + acknowledged[0].recording_id() + acknowledged[0].note(), "ar1mine");
  EXPECT_EQ(acknowledged[0].request_id().size(), 36u);
  EXPECT_EQ(acknowledged[1].SerializeAsString(), acknowledged[0].SerializeAsString());
}

TEST_F(HoldCallsTest, OpenFlagsAreReadInFull) {
  daemon_.on_list_flags = [](grpc::ServerContext&, const v1::ListSafetyFlagsRequest& request,
                             v1::ListSafetyFlagsResponse* response) {
    EXPECT_EQ(request.account_id() + "/" + std::to_string(request.page_size()) + request.page_token(), "a/5t");
    EXPECT_TRUE(request.overdue());
    v1::SafetyFlag& flag = *response->add_flags();
    flag.set_account_id("a");
    flag.set_recording_id("r1");
    flag.mutable_reported_at()->set_seconds(9);
    flag.set_reported_by("desk");
    flag.mutable_acknowledge_by()->set_seconds(10);
    flag.mutable_handle_by()->set_seconds(11);
    flag.mutable_acknowledged_at()->set_seconds(12);
    flag.set_acknowledged_by("officer");
    flag.set_overdue(true);
    flag.mutable_held_until()->set_seconds(13);
    response->set_next_page_token("next");
    return grpc::Status::OK;
  };
  const auto page = client_->ListSafetyFlags({AccountId("a"), 5, "t", true});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->flags.size(), 1u);
  EXPECT_EQ(page->flags[0].account_id, AccountId("a"));
  EXPECT_EQ(page->flags[0].recording_id, RecordingId("r1"));
  EXPECT_EQ(page->flags[0].reported_at, Time(std::chrono::seconds(9)));
  EXPECT_EQ(page->flags[0].reported_by, "desk");
  EXPECT_EQ(page->flags[0].acknowledge_by, Time(std::chrono::seconds(10)));
  EXPECT_EQ(page->flags[0].handle_by, Time(std::chrono::seconds(11)));
  EXPECT_EQ(page->flags[0].acknowledged_at, Time(std::chrono::seconds(12)));
  EXPECT_EQ(page->flags[0].acknowledged_by, "officer");
  EXPECT_TRUE(page->flags[0].overdue);
  EXPECT_EQ(page->flags[0].held_until, Time(std::chrono::seconds(13)));
  EXPECT_EQ(page->next_page_token, "next");
}

}  // namespace
}  // namespace consent
