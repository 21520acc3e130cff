// A caller over its limits: what it is told, on the wire, and that nothing was done.
#include <gtest/gtest.h>

#include "daemon/decisions/recorder.h"
#include "daemon/rpc/eligibility_rpc.h"
#include "daemon/rpc/settings_rpc.h"
#include "tests/unit/rpc/local_server.h"
#include "tests/unit/rpc/rpc_world.h"

namespace consent::test::limits_test {
namespace {

class LimitsTest : public RpcWorld {
 protected:
  void Be(const std::string& name, callers::Limits limits) {
    rpc::Peer peer{{name}, rpc::RoleSet::All()};
    peer.meter = std::make_shared<callers::Meter>(limits);
    meter_ = peer.meter;
    chosen_.Set(std::move(peer));
  }
  // The trailer stays in `context_`.
  grpc::Status Check() {
    context_ = std::make_unique<grpc::ClientContext>();
    v1::CheckResponse response;
    return eligibility_stub_->Check(context_.get(), v1::CheckRequest(), &response);
  }
  grpc::Status Batch(int items) {
    grpc::ClientContext context;
    v1::BatchCheckRequest request;
    for (int i = 0; i < items; ++i) request.add_recordings();
    v1::BatchCheckResponse response;
    return eligibility_stub_->BatchCheck(&context, request, &response);
  }
  grpc::Status OptOut(const std::string& account) {
    grpc::ClientContext context;
    v1::OptOutRequest request;
    request.set_account_id(account);
    request.add_targets()->set_all(true);
    v1::OptOutResponse response;
    return settings_stub_->OptOut(&context, request, &response);
  }

  std::shared_ptr<callers::Meter> meter_;
  decisions::HandleKeys handle_keys_;
  decisions::Recorder recorder_{handle_keys_, {}, world_.core().random, nullptr};
  rpc::EligibilityRpc eligibility_{world_.core(), world_.checks(), recorder_, dependencies_, "probe"};
  rpc::SettingsRpc settings_{world_.core(), world_.changes(), world_.reads(), dependencies_};
  LocalServer server_{{&eligibility_, &settings_}};
  std::unique_ptr<v1::EligibilityService::Stub> eligibility_stub_ = v1::EligibilityService::NewStub(server_.channel());
  std::unique_ptr<v1::SettingsService::Stub> settings_stub_ = v1::SettingsService::NewStub(server_.channel());
  std::unique_ptr<grpc::ClientContext> context_;
};

TEST_F(LimitsTest, ARefusalSaysWhichLimitAndWhenToRepeat) {
  Be("sampler", {.calls_per_second = 1, .items_per_second = 1, .calls_in_flight = 8});
  EXPECT_NE(Check().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const grpc::Status status = Check();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Details(status).reason, "LIMIT_EXCEEDED");
  EXPECT_EQ(Details(status).metadata["limit"], "calls_per_second");
  EXPECT_EQ(Details(status).metadata["value"], "1");
  const auto& trailers = context_->GetServerTrailingMetadata();
  const auto pushback = trailers.find("grpc-retry-pushback-ms");
  ASSERT_NE(pushback, trailers.end());
  const long milliseconds = std::stol(std::string(pushback->second.data(), pushback->second.size()));
  EXPECT_GT(milliseconds, 0);
  EXPECT_LE(milliseconds, 1'000);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::RetryInfo retry;
  bool told = false;
  for (const auto& any : details.details()) told = told || any.UnpackTo(&retry);
  ASSERT_TRUE(told);
  EXPECT_EQ(retry.retry_delay().seconds() * 1'000 + retry.retry_delay().nanos() / 1'000'000, milliseconds);
  EXPECT_EQ(notes_.calls().back().caller, "sampler");
  EXPECT_EQ(notes_.calls().back().reason, "LIMIT_EXCEEDED");
}

TEST_F(LimitsTest, NothingIsParsedOfACallThatIsOverTheLimit) {
  Be("sampler", {.calls_per_second = 1, .items_per_second = 1, .calls_in_flight = 8});
  Check();
  EXPECT_EQ(Details(server_.CallRaw("/consent.v1.EligibilityService/Check", "\xff")).reason, "LIMIT_EXCEEDED");
}

TEST_F(LimitsTest, NoFloodOfChecksTakesARestriction) {
  Be("backend", {.calls_per_second = 2, .items_per_second = 1, .calls_in_flight = 8});
  for (int i = 0; i < 20; ++i) Check();
  EXPECT_EQ(Details(Check()).reason, "LIMIT_EXCEEDED");
  EXPECT_TRUE(OptOut("a").ok());
  EXPECT_TRUE(OptOut("b").ok());
  EXPECT_EQ(Details(OptOut("c")).reason, "LIMIT_EXCEEDED");
}

TEST_F(LimitsTest, OneCallersFloodIsNotAnothers) {
  Be("loud", {.calls_per_second = 1, .items_per_second = 1, .calls_in_flight = 8});
  for (int i = 0; i < 20; ++i) Check();
  EXPECT_EQ(Details(Check()).reason, "LIMIT_EXCEEDED");
  Be("quiet", {.calls_per_second = 1, .items_per_second = 1, .calls_in_flight = 8});
  EXPECT_NE(Details(Check()).reason, "LIMIT_EXCEEDED");
}

TEST_F(LimitsTest, ABatchIsChargedForItsItems) {
  Be("sampler", {.calls_per_second = 1'000, .items_per_second = 100, .calls_in_flight = 8});
  EXPECT_NE(Details(Batch(90)).reason, "LIMIT_EXCEEDED");
  const grpc::Status status = Batch(90);
  EXPECT_EQ(Details(status).reason, "LIMIT_EXCEEDED");
  EXPECT_EQ(Details(status).metadata["limit"], "items_per_second");
}

TEST_F(LimitsTest, WhatEndedIsInFlightNoMore) {
  Be("sampler", {.calls_per_second = 1'000, .items_per_second = 1'000, .calls_in_flight = 1});
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(Details(Check()).reason, "LIMIT_EXCEEDED") << i;
    // The server ends it a little after the client has its answer.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (meter_->in_flight(callers::Meter::Share::kOrdinary) != 0 && std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
    }
    ASSERT_EQ(meter_->in_flight(callers::Meter::Share::kOrdinary), 0);
  }
}

}  // namespace
}  // namespace consent::test::limits_test
