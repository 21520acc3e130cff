// Who may call, and how many calls are in flight, without a server.
#include "daemon/rpc/admission.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "daemon/rpc/limits.h"
#include "daemon/wire/errors.h"

namespace consent::test {
namespace {

class AdmissionTest : public ::testing::Test {
 protected:
  static rpc::Peer Backend() {
    rpc::Peer peer{{"app"}, {}};
    peer.roles.Add(v1::ROLE_BACKEND);
    return peer;
  }
  absl::StatusOr<rpc::Admission::Token> Admit(rpc::Peer peer = Backend(), size_t bytes = 1) {
    return admission_.Admit(&peer, method_, bytes, {});
  }
  static v1::ErrorReason ReasonOf(const absl::Status& status) { return wire::DetailOf(status).reason; }

  std::atomic<bool> ready_{true};
  rpc::Admission admission_{ready_};
  const rpc::Method method_ = rpc::Method::Named("consent.v1.SettingsService.UpdateSettings");
};

TEST_F(AdmissionTest, ATokenKnowsTheCallerAndIsCountedWhileItIsHeld) {
  EXPECT_EQ(admission_.in_flight(), 0U);
  {
    const auto token = Admit();
    ASSERT_TRUE(token.ok()) << token.status();
    EXPECT_EQ(token->caller().identity, "app");
    EXPECT_EQ(admission_.in_flight(), 1U);
  }
  EXPECT_EQ(admission_.in_flight(), 0U);
}

TEST_F(AdmissionTest, ATokenThatMovesIsCountedOnce) {
  auto first = Admit();
  auto second = Admit();
  ASSERT_TRUE(first.ok() && second.ok());
  rpc::Admission::Token kept = *std::move(first);
  EXPECT_EQ(admission_.in_flight(), 2U);
  kept = *std::move(second);
  second = absl::CancelledError();
  first = absl::CancelledError();
  EXPECT_EQ(admission_.in_flight(), 1U);
  EXPECT_EQ(kept.caller().identity, "app");
}

TEST_F(AdmissionTest, WhatIsRefusedIsNotInFlight) {
  EXPECT_EQ(ReasonOf(Admit(rpc::Peer{}).status()), v1::ERROR_REASON_ROLE_REQUIRED);
  EXPECT_EQ(ReasonOf(Admit(Backend(), rpc::kMaxRequestBytes + 1).status()), v1::ERROR_REASON_MESSAGE_TOO_LARGE);
  ready_ = false;
  EXPECT_EQ(ReasonOf(Admit().status()), v1::ERROR_REASON_NOT_SERVING);
  EXPECT_EQ(admission_.in_flight(), 0U);
}

TEST_F(AdmissionTest, ARefusalNamesTheRolesThatWouldDo) {
  const auto detail = wire::DetailOf(Admit(rpc::Peer{}).status());
  EXPECT_EQ(detail.metadata.at("needs"), "BACKEND");
}

TEST_F(AdmissionTest, WhoMayNotCallLearnsNothingElse) {
  ready_ = false;
  EXPECT_EQ(ReasonOf(Admit(rpc::Peer{}, rpc::kMaxRequestBytes + 1).status()), v1::ERROR_REASON_ROLE_REQUIRED);
  EXPECT_EQ(ReasonOf(Admit(Backend(), rpc::kMaxRequestBytes + 1).status()), v1::ERROR_REASON_NOT_SERVING);
}

TEST_F(AdmissionTest, AMessageHasTheBoundThatItIsToldOf) {
  EXPECT_TRUE(rpc::CheckSize(rpc::kMaxRequestBytes).ok());
  const absl::Status status = rpc::CheckSize(rpc::kMaxRequestBytes + 1);
  EXPECT_EQ(wire::DetailOf(status).metadata.at("limit"), std::to_string(rpc::kMaxRequestBytes));
}

TEST_F(AdmissionTest, CallsOnTooManyConnectionsAreRefusedAndTakeNothingOfOtherLimits) {
  callers::CallerConnections connections;
  rpc::Admission admission(ready_, &connections);
  rpc::Peer peer = Backend();
  peer.meter = std::make_shared<callers::Meter>(
      callers::Limits{.calls_per_second = 2, .items_per_second = 1, .calls_in_flight = 9, .connections = 1});
  const auto by = [&](const char* name) {
    rpc::Peer caller = peer;
    caller.connection = name;
    return admission.Admit(&caller, method_, 1, {}).status();
  };
  connections.Opened("one");
  connections.Opened("two");
  EXPECT_TRUE(by("one").ok());
  for (int i = 0; i < 10; ++i) {
    const absl::Status refused = by("two");
    EXPECT_EQ(ReasonOf(refused), v1::ERROR_REASON_LIMIT_EXCEEDED);
    EXPECT_EQ(wire::DetailOf(refused).metadata.at("limit"), "connections");
    EXPECT_TRUE(wire::DetailOf(refused).retry_after.has_value());
  }
  EXPECT_TRUE(by("one").ok()) << "the second of this second";
  EXPECT_EQ(wire::DetailOf(by("one")).metadata.at("limit"), "calls_per_second");
  rpc::Peer local = Backend();
  EXPECT_TRUE(admission.Admit(&local, method_, 1, {}).ok()) << "who has no meter has no limits";
}

// A stream's token ends on another thread than it began on.
TEST_F(AdmissionTest, TokensOfManyThreadsAddUp) {
  std::vector<rpc::Admission::Token> held;
  for (int i = 0; i < 32; ++i) held.push_back(*Admit());
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back(
        [this, t,
         four = std::vector<rpc::Admission::Token>(std::make_move_iterator(held.begin() + 4 * t),
                                                   std::make_move_iterator(held.begin() + 4 * t + 4))]() mutable {
          for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(Admit().ok());
          if (t % 2 == 0) four.clear();
        });
  }
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  EXPECT_EQ(admission_.in_flight(), 0U) << "the threads' closures are gone, and the tokens with them";
}

}  // namespace
}  // namespace consent::test
