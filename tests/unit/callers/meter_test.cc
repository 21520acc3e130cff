// Limits, at times that the test names.
#include "daemon/callers/meter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/support/thread_cost.h"

namespace consent::callers {
namespace {

using Share = Meter::Share;
using std::chrono::milliseconds;

Meter::Time At(int64_t ms) { return Meter::Time(std::chrono::hours(1) + milliseconds(ms)); }

// How many calls begin and end at once.
int Calls(Meter& meter, Share share, Meter::Time now, int tries) {
  int begun = 0;
  for (int i = 0; i < tries; ++i) {
    if (meter.Begin(share, now).has_value()) continue;
    ++begun;
    meter.End(share);
  }
  return begun;
}

TEST(Meter, CallsComeAtTheirRateWithABurstOfOneSecond) {
  Meter meter({.calls_per_second = 500, .items_per_second = 1, .calls_in_flight = 10});
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(0), 10'000), 500);
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(1), 10), 0);
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(2), 10), 1);
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(102), 1'000), 50);
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(3'600'000), 10'000), 500) << "what was not used is not saved up";
}

TEST(Meter, ARefusalSaysWhichLimitAndWhenItIsOver) {
  Meter meter({.calls_per_second = 2, .items_per_second = 1, .calls_in_flight = 10});
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(0), 5), 2);
  const auto excess = meter.Begin(Share::kOrdinary, At(100));
  ASSERT_TRUE(excess.has_value());
  EXPECT_STREQ(LimitName(excess->limit), "calls_per_second");
  EXPECT_EQ(excess->value, 2);
  EXPECT_EQ(excess->wait, milliseconds(400));
  EXPECT_TRUE(meter.Begin(Share::kOrdinary, At(499)).has_value());
  EXPECT_FALSE(meter.Begin(Share::kOrdinary, At(500)).has_value());
}

TEST(Meter, RestrictionsHaveTheirOwnShare) {
  Meter meter({.calls_per_second = 100, .items_per_second = 1, .calls_in_flight = 4});
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(0), 1'000), 100);
  EXPECT_EQ(Calls(meter, Share::kRestrictions, At(0), 1'000), 100);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(meter.Begin(Share::kOrdinary, At(2'000)).has_value());
  EXPECT_TRUE(meter.Begin(Share::kOrdinary, At(2'000)).has_value());
  EXPECT_FALSE(meter.Begin(Share::kRestrictions, At(2'000)).has_value());
}

TEST(Meter, CallsInFlightAreBoundedAndARefusedOneCountsForNothing) {
  Meter meter({.calls_per_second = 1'000, .items_per_second = 1, .calls_in_flight = 2});
  EXPECT_FALSE(meter.Begin(Share::kOrdinary, At(0)).has_value());
  EXPECT_FALSE(meter.Begin(Share::kOrdinary, At(0)).has_value());
  const auto excess = meter.Begin(Share::kOrdinary, At(0));
  ASSERT_TRUE(excess.has_value());
  EXPECT_STREQ(LimitName(excess->limit), "calls_in_flight");
  EXPECT_EQ(excess->value, 2);
  EXPECT_GE(excess->wait, milliseconds(1));
  EXPECT_EQ(meter.in_flight(Share::kOrdinary), 2);
  meter.End(Share::kOrdinary);
  EXPECT_FALSE(meter.Begin(Share::kOrdinary, At(0)).has_value());
  meter.End(Share::kOrdinary);
  meter.End(Share::kOrdinary);
  EXPECT_EQ(meter.in_flight(Share::kOrdinary), 0);
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(0), 2'000), 997) << "three began before, and the refused one took none";
}

TEST(Meter, ItemsAreCountedByTheirNumber) {
  Meter meter({.calls_per_second = 1, .items_per_second = 1'000, .calls_in_flight = 1});
  EXPECT_FALSE(meter.Charge(Share::kOrdinary, 600, At(0)).has_value());
  EXPECT_FALSE(meter.Charge(Share::kOrdinary, 400, At(0)).has_value());
  const auto excess = meter.Charge(Share::kOrdinary, 300, At(0));
  ASSERT_TRUE(excess.has_value());
  EXPECT_STREQ(LimitName(excess->limit), "items_per_second");
  EXPECT_EQ(excess->wait, milliseconds(300));
  EXPECT_FALSE(meter.Charge(Share::kOrdinary, 300, At(300)).has_value());
  EXPECT_FALSE(meter.Charge(Share::kRestrictions, 1'000, At(300)).has_value());
}

TEST(Meter, ACallOfMoreThanASecondsItemsIsTakenWhenNothingIsOwed) {
  Meter meter({.calls_per_second = 1, .items_per_second = 100, .calls_in_flight = 1});
  EXPECT_FALSE(meter.Charge(Share::kOrdinary, 1'000, At(0)).has_value());
  EXPECT_TRUE(meter.Charge(Share::kOrdinary, 1, At(8'000)).has_value());
  const auto excess = meter.Charge(Share::kOrdinary, 1'000, At(8'000));
  ASSERT_TRUE(excess.has_value());
  EXPECT_EQ(excess->wait, milliseconds(2'000));
  EXPECT_FALSE(meter.Charge(Share::kOrdinary, 1'000, At(10'000)).has_value());
}

TEST(Meter, NewLimitsHoldFromTheNextCall) {
  Meter meter({.calls_per_second = 1'000, .items_per_second = 1, .calls_in_flight = 100});
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(0), 10), 10);
  meter.SetLimits({.calls_per_second = 1, .items_per_second = 1, .calls_in_flight = 1});
  EXPECT_EQ(Calls(meter, Share::kOrdinary, At(5'000), 10), 1);
}

TEST(Meter, ThreadsTogetherGetNoMoreThanOne) {
  Meter meter({.calls_per_second = 5'000, .items_per_second = 1, .calls_in_flight = 1'000});
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] { begun += Calls(meter, Share::kOrdinary, At(0), 5'000); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(begun, 5'000);
  EXPECT_EQ(meter.in_flight(Share::kOrdinary), 0);
}

// A second's worth of calls is asked each 100 ms, from `begin` to `end`. When the meter said so that they go on.
std::vector<int64_t> Overstays(Meter& meter, Share share, int64_t begin, int64_t end) {
  std::vector<int64_t> told;
  for (int64_t ms = begin; ms <= end; ms += 100) {
    Calls(meter, share, At(ms), 100);
    if (meter.TakeOverstay(share, At(ms))) told.push_back(ms);
  }
  return told;
}

TEST(Meter, RefusalsThatGoOnForTenSecondsAreToldOnceForEachTen) {
  Meter meter({.calls_per_second = 100, .items_per_second = 1, .calls_in_flight = 10});
  EXPECT_EQ(Overstays(meter, Share::kOrdinary, 0, 35'000), (std::vector<int64_t>{10'100, 20'100, 30'100}))
      << "the first second is within the limits, but for its first calls' successors";
}

TEST(Meter, APauseOfASecondEndsIt) {
  Meter meter({.calls_per_second = 100, .items_per_second = 1, .calls_in_flight = 10});
  EXPECT_EQ(Overstays(meter, Share::kOrdinary, 0, 9'900), std::vector<int64_t>{});
  EXPECT_EQ(Overstays(meter, Share::kOrdinary, 11'000, 20'900), std::vector<int64_t>{});
  EXPECT_EQ(Overstays(meter, Share::kOrdinary, 21'800, 22'900), std::vector<int64_t>{21'800})
      << "a shorter one does not";
}

TEST(Meter, WhoIsWithinTheLimitsNeverOverstays) {
  Meter meter({.calls_per_second = 100, .items_per_second = 1, .calls_in_flight = 10});
  for (int64_t ms = 0; ms < 60'000; ms += 10) {
    EXPECT_FALSE(meter.Begin(Share::kOrdinary, At(ms)).has_value());
    meter.End(Share::kOrdinary);
    EXPECT_FALSE(meter.TakeOverstay(Share::kOrdinary, At(ms)));
  }
}

TEST(Meter, AnOverstayThatNobodyAskedForIsForgotten) {
  Meter meter({.calls_per_second = 100, .items_per_second = 1, .calls_in_flight = 10});
  for (int64_t ms = 0; ms <= 11'000; ms += 100) Calls(meter, Share::kOrdinary, At(ms), 100);
  EXPECT_FALSE(meter.TakeOverstay(Share::kOrdinary, At(13'000))) << "it has stopped meanwhile";
  for (int64_t ms = 60'000; ms <= 61'000; ms += 100) Calls(meter, Share::kOrdinary, At(ms), 100);
  EXPECT_FALSE(meter.TakeOverstay(Share::kOrdinary, At(61'000)));
}

TEST(Meter, EachShareStaysOverForItself) {
  Meter meter({.calls_per_second = 100, .items_per_second = 1, .calls_in_flight = 10});
  EXPECT_EQ(Overstays(meter, Share::kOrdinary, 0, 10'000), std::vector<int64_t>{});
  Calls(meter, Share::kOrdinary, At(10'100), 100);
  Calls(meter, Share::kRestrictions, At(10'100), 200);
  EXPECT_FALSE(meter.TakeOverstay(Share::kRestrictions, At(10'100)));
  EXPECT_TRUE(meter.TakeOverstay(Share::kOrdinary, At(10'100)));
}

TEST(Meter, EveryLimitCountsForStayingOver) {
  const Limits limits{.calls_per_second = 1, .items_per_second = 1, .calls_in_flight = 1, .connections = 1};
  const auto overstays = [&](auto refused) {
    Meter meter(limits);
    (void)meter.Begin(Share::kOrdinary, At(0));
    (void)meter.BeginConnection(Share::kOrdinary, At(0));
    for (int64_t ms = 0; ms <= 10'000; ms += 500) EXPECT_TRUE(refused(meter, At(ms))) << ms;
    return meter.TakeOverstay(Share::kOrdinary, At(10'000));
  };
  EXPECT_TRUE(overstays([](Meter& m, Meter::Time now) { return m.Begin(Share::kOrdinary, now).has_value(); }));
  EXPECT_TRUE(
      overstays([](Meter& m, Meter::Time now) { return m.BeginConnection(Share::kOrdinary, now).has_value(); }));
  EXPECT_TRUE(overstays([](Meter& m, Meter::Time now) {
    (void)m.Charge(Share::kOrdinary, 10, now);
    return m.Charge(Share::kOrdinary, 10, now).has_value();
  }));
}

TEST(Meter, TellsHowMuchOfEachLimitIsUsedAndWhatItRefused) {
  Meter meter({.calls_per_second = 10, .items_per_second = 100, .calls_in_flight = 4, .connections = 2});
  for (const Limit limit : kAllLimits) {
    EXPECT_EQ(meter.Used(limit, At(0)), 0) << LimitName(limit);
    EXPECT_EQ(meter.refused(limit), 0U) << LimitName(limit);
  }
  ASSERT_FALSE(meter.Begin(Share::kOrdinary, At(1'000)).has_value());
  ASSERT_FALSE(meter.Begin(Share::kRestrictions, At(1'000)).has_value());
  ASSERT_FALSE(meter.Begin(Share::kRestrictions, At(1'000)).has_value());
  ASSERT_FALSE(meter.Charge(Share::kOrdinary, 70, At(1'000)).has_value());
  ASSERT_FALSE(meter.BeginConnection(Share::kOrdinary, At(1'000)).has_value());
  EXPECT_DOUBLE_EQ(meter.Used(Limit::kCallsInFlight, At(1'000)), 0.5) << "of the share that uses more";
  EXPECT_DOUBLE_EQ(meter.Used(Limit::kCallsPerSecond, At(1'000)), 0.2);
  EXPECT_DOUBLE_EQ(meter.Used(Limit::kItemsPerSecond, At(1'000)), 0.7);
  EXPECT_DOUBLE_EQ(meter.Used(Limit::kConnections, At(1'000)), 0.5);
  EXPECT_DOUBLE_EQ(meter.Used(Limit::kItemsPerSecond, At(1'500)), 0.2) << "half a second later";
  EXPECT_EQ(meter.Used(Limit::kCallsPerSecond, At(9'000)), 0);
  ASSERT_TRUE(meter.Charge(Share::kOrdinary, 90, At(1'000)).has_value());
  EXPECT_EQ(meter.refused(Limit::kItemsPerSecond), 1U);
  meter.SetLimits({.calls_per_second = 10, .items_per_second = 100, .calls_in_flight = 1, .connections = 2});
  EXPECT_DOUBLE_EQ(meter.Used(Limit::kCallsInFlight, At(1'000)), 2) << "lowered since";
  ASSERT_TRUE(meter.Begin(Share::kRestrictions, At(1'000)).has_value());
  EXPECT_EQ(meter.refused(Limit::kCallsInFlight), 1U);
}

TEST(Meter, ACallCostsLittle) {
  Meter meter({.calls_per_second = 1'000'000, .items_per_second = 1, .calls_in_flight = 1'000});
  constexpr int kCalls = 200'000;
  const test::ThreadCost cost;
  for (int i = 0; i < kCalls; ++i) {
    if (!meter.Begin(Share::kOrdinary, At(i)).has_value()) meter.End(Share::kOrdinary);
  }
  const auto took = cost.processor();
  RecordProperty("nanoseconds", static_cast<int>(took.count() / kCalls));
  std::printf("a metered call: %lld ns\n", static_cast<long long>(took.count() / kCalls));
  EXPECT_LT(took.count() / kCalls, 20'000);
  EXPECT_LT(cost.waits(), kCalls / 100) << "nothing waits";
}

}  // namespace
}  // namespace consent::callers
