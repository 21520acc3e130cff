#include "client/src/retry.h"

#include <algorithm>
#include <cstdint>

namespace consent {

namespace {

// The daemon says it before it looks at a call: it starts, or stops.
bool WasNotBegun(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable && ErrorOf(status).reason == "NOT_SERVING";
}

}  // namespace

bool WorthRepeating(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    case absl::StatusCode::kResourceExhausted:  // of gRPC's own, such as a message that is too large, none says when
      return ErrorOf(status).reason == "OVERLOADED" || ErrorOf(status).retry_after.has_value();
    default:
      return false;
  }
}

std::chrono::nanoseconds Backoff(const RetryPolicy& policy, int next, Random& random) {
  std::chrono::nanoseconds bound = policy.first_backoff;
  for (int n = 2; n < next && bound < policy.max_backoff; ++n) bound *= 2;
  bound = std::min<std::chrono::nanoseconds>(bound, policy.max_backoff);
  uint32_t draw = 0;
  random.Fill(&draw, sizeof draw);
  const double fraction = 0.5 + 0.5 * (static_cast<double>(draw) / static_cast<double>(UINT32_MAX));
  return std::chrono::nanoseconds(static_cast<int64_t>(static_cast<double>(bound.count()) * fraction));
}

absl::Status CallWithRetries(const RetryPolicy& policy, bool repeatable, std::chrono::milliseconds deadline,
                             Clock& clock, Random& random,
                             const std::function<absl::Status(std::chrono::nanoseconds)>& attempt) {
  const std::chrono::nanoseconds end = clock.SinceBoot() + deadline;
  const int attempts = policy.max_attempts;
  for (int n = 1;; ++n) {
    std::chrono::nanoseconds timeout = end - clock.SinceBoot();
    if (repeatable && n < attempts) timeout = std::min<std::chrono::nanoseconds>(timeout, policy.attempt_timeout);
    absl::Status status = attempt(timeout);
    if (status.ok() || n >= attempts || !WorthRepeating(status)) return status;
    if (!repeatable && !WasNotBegun(status)) return status;
    const std::chrono::nanoseconds asked = ErrorOf(status).retry_after.value_or(std::chrono::nanoseconds(0));
    const std::chrono::nanoseconds wait = asked + Backoff(policy, n + 1, random);
    if (clock.SinceBoot() + wait >= end) return status;
    clock.Sleep(wait);
  }
}

}  // namespace consent
