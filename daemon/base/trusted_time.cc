#include "daemon/base/trusted_time.h"

#include <algorithm>

namespace consent::base {
namespace {

// What a wall clock that is disciplined or runs freely may drift (adjtimex slews by at most 500 ppm).
constexpr int64_t kDriftPartsPerMillion = 500;

Span OffsetOf(Instant time, Span boot) { return Span{time.micros - boot.micros}; }

}  // namespace

TrustedTime::TrustedTime(const ClockReading& now, const ClockBounds& bounds)
    : offset_(OffsetOf(now.wall, now.boot)), observed_(now.boot), bounds_(bounds) {}

TrustedTime TrustedTime::Resume(const std::optional<ClockRecord>& before, Instant last_stamp, const BootId& boot_id,
                                const ClockReading& now, const ClockBounds& bounds) {
  TrustedTime time(now, bounds);
  const bool known = before && before->IsSet();
  if (known && before->boot_id == boot_id && before->read.boot <= now.boot) {
    time.offset_ = before->offset;
    time.settled_ = before->settled;
    time.observed_ = before->read.boot;
    return time;
  }
  // Without a record the last stamp is all there is. With one, stamps of a doubtful time do not count.
  const Instant earliest =
      known ? std::max(Instant{before->offset.micros + before->read.boot.micros}, before->last_trusted) : last_stamp;
  if (!earliest.IsSet()) return time;  // a new store
  time.offset_ = OffsetOf(earliest, now.boot);
  time.settled_ = false;
  time.Observe(now);
  return time;
}

bool TrustedTime::IsDoubtful(const ClockReading& now) const {
  const Span difference = now.wall - At(now.boot);
  return difference > ahead() || difference.micros < -behind().micros;
}

void TrustedTime::Observe(const ClockReading& now) {
  const int64_t elapsed = std::max<int64_t>(now.boot.micros - observed_.micros, 0);
  observed_ = now.boot;
  if (IsDoubtful(now)) return;
  const int64_t difference = (now.wall - At(now.boot)).micros;
  if (!settled_) {
    settled_ = true;
    if (difference > 0) offset_.micros += difference;
    return;
  }
  const int64_t most = elapsed / (1'000'000 / kDriftPartsPerMillion);
  offset_.micros += std::clamp(difference, -most, most);
}

void TrustedTime::Confirm(const ClockReading& now) {
  offset_ = OffsetOf(now.wall, now.boot);
  settled_ = true;
  observed_ = now.boot;
}

}  // namespace consent::base
