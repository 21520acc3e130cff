// When a call is repeated and how long it waits, without a server and without waiting.
#include "client/src/retry.h"

#include <gtest/gtest.h>

#include "client/src/error_details.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/unit/client/fakes.h"

namespace consent {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using testing::FakeClock;
using testing::FakeRandom;

absl::Status WithReason(absl::StatusCode code, const std::string& reason) {
  const absl::Status details = ItemStatus(reason, "x");
  absl::Status status(code, "x");
  details.ForEachPayload(
      [&status](absl::string_view url, const absl::Cord& payload) { status.SetPayload(url, payload); });
  return status;
}

class RetryTest : public ::testing::Test {
 protected:
  // Runs with attempts that end as listed; later ones succeed.
  absl::Status Run(bool repeatable, milliseconds deadline, const std::vector<absl::Status>& endings) {
    timeouts_.clear();
    return CallWithRetries(policy_, repeatable, deadline, clock_, random_, [&](nanoseconds timeout) {
      timeouts_.push_back(timeout);
      return timeouts_.size() <= endings.size() ? endings[timeouts_.size() - 1] : absl::OkStatus();
    });
  }
  RetryPolicy policy_;
  FakeClock clock_;
  FakeRandom random_;
  std::vector<nanoseconds> timeouts_;
};

TEST_F(RetryTest, OnlyPassingFailuresAreWorthRepeating) {
  EXPECT_TRUE(WorthRepeating(absl::UnavailableError("")));
  EXPECT_TRUE(WorthRepeating(absl::DeadlineExceededError("")));
  EXPECT_TRUE(WorthRepeating(WithReason(absl::StatusCode::kResourceExhausted, "OVERLOADED")));
  EXPECT_FALSE(WorthRepeating(absl::ResourceExhaustedError("")));
  EXPECT_TRUE(WorthRepeating(WithReason(absl::StatusCode::kUnavailable, "CONTENTION")));
  EXPECT_FALSE(WorthRepeating(WithReason(absl::StatusCode::kFailedPrecondition, "SUBJECT_FULL")));
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "x");
    const bool passing = code == 14 || code == 4;
    EXPECT_EQ(WorthRepeating(status), passing) << code;
  }
}

// As the daemon says it: google.rpc.RetryInfo among the details.
absl::Status After(absl::StatusCode code, const google::protobuf::Duration& delay) {
  google::rpc::RetryInfo retry;
  *retry.mutable_retry_delay() = delay;
  google::rpc::Status details;
  details.add_details()->PackFrom(retry);
  return FromGrpc({static_cast<grpc::StatusCode>(code), "x", details.SerializeAsString()});
}

google::protobuf::Duration Delay(int64_t seconds, int32_t nanos) {
  google::protobuf::Duration delay;
  delay.set_seconds(seconds);
  delay.set_nanos(nanos);
  return delay;
}

TEST_F(RetryTest, WaitsAsLongAsTheDaemonAsksForAndMore) {
  const absl::Status limited = After(absl::StatusCode::kResourceExhausted, Delay(2, 500'000'000));
  EXPECT_TRUE(WorthRepeating(limited));
  EXPECT_EQ(ErrorOf(limited).retry_after, milliseconds(2'500));
  EXPECT_TRUE(Run(true, milliseconds(10'000), {limited}).ok());
  ASSERT_EQ(clock_.sleeps().size(), 1U);
  EXPECT_GT(clock_.sleeps()[0], milliseconds(2'500));
  EXPECT_LE(clock_.sleeps()[0], milliseconds(2'500) + policy_.first_backoff);
  EXPECT_FALSE(Run(true, milliseconds(2'000), {limited}).ok()) << "nobody waits past the deadline";
  EXPECT_FALSE(WorthRepeating(After(absl::StatusCode::kAborted, Delay(1, 0)))) << "read first";
}

TEST_F(RetryTest, AnImpossibleWaitIsNone) {
  EXPECT_EQ(ErrorOf(After(absl::StatusCode::kUnavailable, Delay(-5, -5))).retry_after, nanoseconds(0));
  EXPECT_EQ(ErrorOf(After(absl::StatusCode::kUnavailable, Delay(INT64_MAX, 0))).retry_after, std::chrono::hours(1));
}

TEST_F(RetryTest, RepeatsUntilItSucceeds) {
  EXPECT_TRUE(Run(true, milliseconds(10'000), {absl::UnavailableError("1"), absl::DeadlineExceededError("2")}).ok());
  EXPECT_EQ(timeouts_.size(), 3u);
  EXPECT_EQ(clock_.sleeps().size(), 2u);
}

TEST_F(RetryTest, NeverRepeatsWhatIsNotSafe) {
  EXPECT_FALSE(Run(false, milliseconds(10'000), {absl::UnavailableError("")}).ok());
  EXPECT_EQ(timeouts_.size(), 1u);
  EXPECT_EQ(timeouts_[0], milliseconds(10'000)) << "the only attempt has all the time";
  EXPECT_TRUE(clock_.sleeps().empty());
}

TEST_F(RetryTest, RepeatsAnythingThatWasNotBegun) {
  const absl::Status starting = WithReason(absl::StatusCode::kUnavailable, "NOT_SERVING");
  EXPECT_TRUE(Run(false, milliseconds(60'000), {starting, starting}).ok());
  ASSERT_EQ(timeouts_.size(), 3U);
  EXPECT_GT(timeouts_.front(), policy_.attempt_timeout) << "what may be done once has all of its time";
  EXPECT_FALSE(Run(false, milliseconds(60'000), {starting, absl::UnavailableError("")}).ok());
  EXPECT_EQ(timeouts_.size(), 2U);
  EXPECT_FALSE(Run(false, milliseconds(60'000), {WithReason(absl::StatusCode::kUnavailable, "CONTENTION")}).ok());
  EXPECT_FALSE(Run(false, milliseconds(60'000), {WithReason(absl::StatusCode::kInternal, "NOT_SERVING")}).ok());
}

TEST_F(RetryTest, EndsAfterTheLastAttempt) {
  const std::vector<absl::Status> endings(9, absl::UnavailableError(""));
  EXPECT_EQ(Run(true, milliseconds(10'000), endings).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(timeouts_.size(), 4u);
}

TEST_F(RetryTest, NeverWaitsPastTheDeadline) {
  policy_.first_backoff = milliseconds(500);
  policy_.max_backoff = milliseconds(500);
  EXPECT_FALSE(Run(true, milliseconds(200), {absl::UnavailableError("")}).ok());
  EXPECT_EQ(timeouts_.size(), 1u);
  EXPECT_TRUE(clock_.sleeps().empty());
}

TEST_F(RetryTest, OneAttemptCannotUseUpTheDeadline) {
  EXPECT_TRUE(Run(true, milliseconds(10'000), {absl::DeadlineExceededError("")}).ok());
  EXPECT_EQ(timeouts_[0], policy_.attempt_timeout);
}

TEST_F(RetryTest, BackoffGrowsIsJitteredAndBounded) {
  for (int next = 2; next < 40; ++next) {
    const nanoseconds bound =
        std::min<nanoseconds>(policy_.max_backoff, policy_.first_backoff * (int64_t{1} << std::min(next - 2, 20)));
    for (int n = 0; n < 50; ++n) {
      const nanoseconds wait = Backoff(policy_, next, random_);
      EXPECT_GE(wait, bound / 2);
      EXPECT_LE(wait, bound);
    }
  }
}

}  // namespace
}  // namespace consent
