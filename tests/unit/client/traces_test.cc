// The trace that goes along with a call.
#include <gtest/gtest.h>

#include "tests/unit/client/fake_daemon.h"

namespace consent {
namespace {

using testing::FakeClock;
using testing::FakeDaemon;
using testing::RpcError;

constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class TracesTest : public ::testing::Test {
 protected:
  TracesTest() {
    daemon_.on_get_settings = [this](grpc::ServerContext& context, const auto&, auto*) { return Note(context); };
    daemon_.on_lease = [this](grpc::ServerContext& context, const auto&, auto*) { return Note(context); };
  }
  grpc::Status Note(grpc::ServerContext& context) {
    const auto [first, last] = context.client_metadata().equal_range("traceparent");
    std::string all;
    for (auto header = first; header != last; ++header)
      all += "[" + std::string(header->second.data(), header->second.size()) + "]";
    seen_.push_back(all);
    return static_cast<int>(seen_.size()) <= failures_ ? RpcError(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING")
                                                       : grpc::Status::OK;
  }

  FakeDaemon daemon_;
  std::unique_ptr<Client> client_ = daemon_.Connect(std::make_shared<FakeClock>());
  std::vector<std::string> seen_;  // the `traceparent` headers of each attempt
  int failures_ = 0;
};

TEST_F(TracesTest, EveryAttemptCarriesIt) {
  failures_ = 2;
  CallOptions options;
  options.traceparent = kTraceparent;
  EXPECT_TRUE(client_->GetSettings(AccountId("a"), options).ok());
  EXPECT_EQ(seen_, std::vector<std::string>(3, "[" + std::string(kTraceparent) + "]"));
}

TEST_F(TracesTest, ALeaseThatWaitsCarriesIt) {
  CallOptions options;
  options.traceparent = kTraceparent;
  LeaseOrder order;
  order.wait = std::chrono::seconds(1);
  EXPECT_TRUE(client_->LeaseTasks(order, options).ok());
  EXPECT_EQ(seen_, std::vector<std::string>{"[" + std::string(kTraceparent) + "]"});
}

TEST_F(TracesTest, WhatIsNoneIsNotSentAndFailsNoCall) {
  const std::string good = kTraceparent;
  for (const std::string& bad :
       {std::string(), std::string("x"), good + "\n", good + "0", "a\r\nb: " + good, "01" + good.substr(2)}) {
    CallOptions options;
    options.traceparent = bad;
    EXPECT_TRUE(client_->GetSettings(AccountId("a"), options).ok()) << bad;
    EXPECT_EQ(seen_.back(), "") << bad;
  }
}

TEST_F(TracesTest, TheClientsIsThatOfCallsThatNameNone) {
  std::string other = kTraceparent;
  other[10] = '0';
  ClientOptions with;
  with.endpoint = daemon_.endpoint();
  with.traceparent = kTraceparent;
  const auto client = Client::Create(with);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE((*client)->GetSettings(AccountId("a")).ok());
  EXPECT_EQ(seen_.back(), "[" + std::string(kTraceparent) + "]");
  CallOptions options;
  options.traceparent = other;
  EXPECT_TRUE((*client)->GetSettings(AccountId("a"), options).ok());
  EXPECT_EQ(seen_.back(), "[" + other + "]");
}

}  // namespace
}  // namespace consent
