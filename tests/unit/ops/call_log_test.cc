#include "daemon/ops/call_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "tests/unit/rpc/note_taker.h"

namespace consent::ops {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTrace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

rpc::CallSeen Call(absl::StatusCode code, std::string_view reason = "ETAG_MISMATCH") {
  rpc::CallSeen seen;
  seen.method = "consent.v1.SettingsService/UpdateSettings";
  seen.code = code;
  seen.latency = milliseconds(2);
  if (code != absl::StatusCode::kOk) seen.reason = reason;
  return seen;
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class CallLogTest : public testing::Test {
 protected:
  // What `use` has written by the time that the call log is gone.
  std::string Written(const std::function<void(CallLog&)>& use) {
    testing::internal::CaptureStderr();
    {
      Log log(LogFormat::kJson, LogLevel::kInfo);
      CallLog calls(log, notes_, [this] { return std::chrono::steady_clock::time_point(now_.load()); });
      use(calls);
    }
    return testing::internal::GetCapturedStderr();
  }

  std::atomic<std::chrono::nanoseconds> now_{std::chrono::hours(1)};
  test::NoteTaker notes_;
};

TEST_F(CallLogTest, OrdinaryCallsLeaveNoLineAndAreCounted) {
  EXPECT_EQ(Written([](CallLog& calls) { calls.OnCall(Call(absl::StatusCode::kOk)); }), "");
  EXPECT_EQ(notes_.calls().size(), 1U);
}

TEST_F(CallLogTest, ARefusedCallTellsItsTrace) {
  rpc::CallSeen seen = Call(absl::StatusCode::kAborted);
  seen.trace = base::TraceId::FromTraceparent(kTrace);
  seen.caller = "app-backend";
  const std::string line = Written([&](CallLog& calls) { calls.OnCall(seen); });
  EXPECT_THAT(
      line, HasSubstr(R"("level":"info","event":"call refused",)"
                      R"("method":"consent.v1.SettingsService/UpdateSettings","caller":"app-backend","code":"ABORTED",)"
                      R"("reason":"ETAG_MISMATCH","seconds":0.002000,)"
                      R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","left_out":0})"));
}

TEST_F(CallLogTest, ACallWithoutATraceSaysSo) {
  EXPECT_THAT(Written([](CallLog& calls) { calls.OnCall(Call(absl::StatusCode::kNotFound)); }),
              HasSubstr(R"("trace_id":null)"));
}

TEST_F(CallLogTest, WhatTheDaemonIsToBlameForIsAWarning) {
  EXPECT_THAT(Written([](CallLog& calls) { calls.OnCall(Call(absl::StatusCode::kInternal)); }),
              HasSubstr(R"("level":"warning","event":"call failed")"));
  rpc::CallSeen slow = Call(absl::StatusCode::kOk);
  slow.slow = true;
  EXPECT_THAT(Written([&](CallLog& calls) { calls.OnCall(slow); }),
              HasSubstr(R"("level":"warning","event":"call slow")"));
}

TEST_F(CallLogTest, AFloodIsBoundedAndWhatIsLeftOutIsTold) {
  const std::string out = Written([this](CallLog& calls) {
    for (int i = 0; i < 10'000; ++i) calls.OnCall(Call(absl::StatusCode::kNotFound));
    now_ = now_.load() + seconds(1);
    for (int i = 0; i < 10'000; ++i) calls.OnCall(Call(absl::StatusCode::kNotFound));
  });
  EXPECT_EQ(Count(out, "call refused"), LineBudget::kBurst + 1U);
  EXPECT_EQ(Count(out, "\"left_out\":9980"), 1U) << out;
  EXPECT_EQ(notes_.calls().size(), 20'000U) << "all are counted";
}

TEST_F(CallLogTest, AFloodOfRefusalsHidesNoFailure) {
  const std::string out = Written([](CallLog& calls) {
    for (int i = 0; i < 1'000; ++i) calls.OnCall(Call(absl::StatusCode::kNotFound));
    calls.OnCall(Call(absl::StatusCode::kUnavailable, "OUTCOME_UNKNOWN"));
  });
  EXPECT_THAT(out, HasSubstr("OUTCOME_UNKNOWN"));
}

TEST(LineBudget, IsABurstAndThenOneEachInterval) {
  LineBudget budget;
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  const auto taken = [&](int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += budget.Take(now) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(taken(100), LineBudget::kBurst);
  now += milliseconds(999);
  EXPECT_EQ(taken(100), 0);
  now += milliseconds(1);
  EXPECT_EQ(taken(100), 1);
  now += seconds(5);
  EXPECT_EQ(taken(100), 5);
  now += std::chrono::hours(24);
  EXPECT_EQ(taken(100), LineBudget::kBurst) << "no more however long nothing came";
  EXPECT_EQ(budget.left_out(), 80U + 100 + 99 + 95 + 80);
}

}  // namespace
}  // namespace consent::ops
