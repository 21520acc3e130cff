// Which connections carry a caller's calls, at times that the test names.
#include "daemon/callers/caller_connections.h"

#include <cstdio>
#include <thread>

#include "gmock/gmock.h"
#include "tests/support/thread_cost.h"

namespace consent::callers::caller_connections_test {
namespace {

using Share = Meter::Share;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

Meter::Time At(int64_t ms) { return Meter::Time(std::chrono::hours(1) + std::chrono::milliseconds(ms)); }

std::shared_ptr<Meter> Caller(int32_t connections, const std::string& name = "loud") {
  return std::make_shared<Meter>(
      Limits{.calls_per_second = 1, .items_per_second = 1, .calls_in_flight = 1, .connections = connections}, name);
}

std::string Name(int port) { return "ipv4:192.0.2.1:" + std::to_string(port); }

class CallerConnectionsTest : public ::testing::Test {
 protected:
  void Open(int from, int to) {
    for (int port = from; port <= to; ++port) connections_.Opened(Name(port));
  }
  bool May(int port, const std::shared_ptr<Meter>& meter, Share share = Share::kOrdinary, int64_t ms = 0) {
    return !connections_.Use(Name(port), share, meter, At(ms)).has_value();
  }

  CallerConnections connections_;
};

TEST_F(CallerConnectionsTest, CallsOnMoreThanSoManyAreRefused) {
  const auto meter = Caller(2);
  Open(1, 4);
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(May(1, meter));
    EXPECT_TRUE(May(2, meter));
    EXPECT_FALSE(May(3, meter));
    EXPECT_FALSE(May(4, meter));
  }
  const auto excess = connections_.Use(Name(4), Share::kOrdinary, meter, At(0));
  ASSERT_TRUE(excess.has_value());
  EXPECT_STREQ(LimitName(excess->limit), "connections");
  EXPECT_EQ(excess->value, 2);
  EXPECT_GE(excess->wait, std::chrono::milliseconds(1));
  EXPECT_EQ(meter->connections(Share::kOrdinary), 2);
}

TEST_F(CallerConnectionsTest, OneThatEndsMakesRoom) {
  const auto meter = Caller(1);
  Open(1, 2);
  EXPECT_TRUE(May(1, meter));
  EXPECT_FALSE(May(2, meter));
  connections_.Ended(Name(1));
  EXPECT_TRUE(May(2, meter));
  EXPECT_EQ(meter->connections(Share::kOrdinary), 1);
  connections_.Ended(Name(2));
  EXPECT_EQ(meter->connections(Share::kOrdinary), 0);
}

TEST_F(CallerConnectionsTest, ACallOfOneThatIsNotOpenIsRefusedAndTakesNoRoom) {
  const auto meter = Caller(1);
  EXPECT_FALSE(May(1, meter));
  Open(1, 1);
  EXPECT_TRUE(May(1, meter));
  connections_.Ended(Name(1));
  EXPECT_FALSE(May(1, meter)) << "its call came late";
  EXPECT_EQ(meter->connections(Share::kOrdinary), 0);
}

TEST_F(CallerConnectionsTest, TwoOfOneNameCountAsOneUntilBothHaveEnded) {
  const auto meter = Caller(1);
  Open(1, 1);
  Open(1, 1);
  EXPECT_TRUE(May(1, meter));
  connections_.Ended(Name(1));
  EXPECT_TRUE(May(1, meter));
  connections_.Ended(Name(1));
  EXPECT_FALSE(May(1, meter));
}

TEST_F(CallerConnectionsTest, NoFloodOfChecksTakesTheConnectionsOfRestrictions) {
  const auto meter = Caller(2);
  Open(1, 10);
  for (int port = 1; port <= 10; ++port) (void)May(port, meter);
  EXPECT_FALSE(May(10, meter));
  EXPECT_TRUE(May(10, meter, Share::kRestrictions));
  EXPECT_TRUE(May(9, meter, Share::kRestrictions));
  EXPECT_FALSE(May(8, meter, Share::kRestrictions));
}

TEST_F(CallerConnectionsTest, CallersShareNothing) {
  const auto loud = Caller(1);
  const auto quiet = Caller(1, "quiet");
  Open(1, 3);
  EXPECT_TRUE(May(1, loud));
  EXPECT_FALSE(May(2, loud));
  EXPECT_TRUE(May(2, quiet)) << "the callers' file gives its certificate to another one now";
  EXPECT_FALSE(May(3, quiet));
  EXPECT_TRUE(May(1, quiet) || quiet->connections(Share::kOrdinary) == 1);
  EXPECT_EQ(loud->connections(Share::kOrdinary), 0) << "it moved on with its connection";
}

TEST_F(CallerConnectionsTest, ALowerLimitHoldsFromTheNextCall) {
  const auto meter = Caller(4);
  Open(1, 4);
  for (int port = 1; port <= 4; ++port) EXPECT_TRUE(May(port, meter));
  meter->SetLimits({.connections = 2});
  EXPECT_FALSE(May(1, meter));
  EXPECT_FALSE(May(2, meter));
  EXPECT_TRUE(May(3, meter));
  EXPECT_TRUE(May(4, meter));
  EXPECT_FALSE(May(1, meter));
  EXPECT_EQ(meter->connections(Share::kOrdinary), 2);
}

TEST_F(CallerConnectionsTest, WhoStaysOverIsToldWithTheConnectionsOfThatShare) {
  const auto loud = Caller(2);
  const auto quiet = Caller(2, "quiet");
  Open(1, 5);
  EXPECT_TRUE(May(4, loud, Share::kRestrictions));
  EXPECT_TRUE(May(5, quiet));
  for (int64_t ms = 0; ms <= 10'000; ms += 500) {
    EXPECT_THAT(connections_.TakeOverstays(At(ms)), ElementsAre());
    for (const int port : {1, 2, 3}) (void)May(port, loud, Share::kOrdinary, ms);
  }
  const auto overstays = connections_.TakeOverstays(At(10'000));
  ASSERT_EQ(overstays.size(), 1U);
  EXPECT_EQ(overstays[0].caller, "loud");
  EXPECT_THAT(overstays[0].connections, UnorderedElementsAre(Name(1), Name(2), Name(3)))
      << "the one that was refused, too, and not the one of restrictions alone";
  EXPECT_THAT(connections_.TakeOverstays(At(10'000)), ElementsAre()) << "once";
}

TEST_F(CallerConnectionsTest, ThreadsTogetherTakeNoMoreThanOne) {
  const auto meter = Caller(8);
  Open(0, 63);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5'000; ++i) {
        const int port = (i * 7 + t) % 64;
        (void)May(port, meter);
        if (i % 50 == 49) {
          connections_.Ended(Name(port));
          connections_.Opened(Name(port));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(meter->connections(Share::kOrdinary), 8);
  for (int port = 0; port < 64; ++port) connections_.Ended(Name(port));
  EXPECT_EQ(meter->connections(Share::kOrdinary), 0);
}

TEST_F(CallerConnectionsTest, ACallCostsLittle) {
  const auto meter = Caller(64);
  Open(1, 50);
  constexpr int kCalls = 200'000;
  const std::string name = Name(17);
  const test::ThreadCost cost;
  for (int i = 0; i < kCalls; ++i) (void)connections_.Use(name, Share::kOrdinary, meter, At(0));
  const auto took = cost.processor();
  std::printf("a call by a known connection: %lld ns\n", static_cast<long long>(took.count() / kCalls));
  EXPECT_LT(took.count() / kCalls, 20'000);
  EXPECT_LT(cost.waits(), kCalls / 100) << "nothing waits";
}

}  // namespace
}  // namespace consent::callers::caller_connections_test
