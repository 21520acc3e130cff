#include "daemon/service/erasure/eraser.h"

#include <algorithm>
#include <utility>

namespace consent::service {
namespace {

constexpr int kRestPerWork = 9;

}  // namespace

Eraser::Eraser(const Core& core, Erasures& erasures, Monotonic now)
    : core_(core), erasures_(erasures), now_(std::move(now)), bytes_due_(now_() + kShortestRest) {}

Eraser::Round Eraser::Next() {
  const auto began = now_();
  Round round;
  const absl::StatusOr<size_t> completed = erasures_.EraseKeys();
  round.status = completed.status();
  if (completed.ok()) {
    round.completed = *completed;
    round.status = EraseBytesIfDue(began, &round);
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now_() - began);
  round.rest = round.status.ok() ? std::clamp(kRestPerWork * took, kShortestRest, kLongestRest) : kAfterFailure;
  return round;
}

absl::Status Eraser::EraseBytesIfDue(std::chrono::steady_clock::time_point began, Round* round) {
  if (began < bytes_due_) return absl::OkStatus();
  if (!bytes_before_.IsSet()) bytes_before_ = core_.Now();
  const absl::StatusOr<size_t> scrubbed = erasures_.EraseBytes(bytes_before_);
  if (!scrubbed.ok()) return scrubbed.status();
  round->scrubbed = *scrubbed;
  if (*scrubbed == 0) {
    bytes_due_ = began + kBetweenBytes;
    bytes_before_ = {};
  }
  return absl::OkStatus();
}

}  // namespace consent::service
