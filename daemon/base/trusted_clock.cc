#include "daemon/base/trusted_clock.h"

#include <algorithm>

namespace consent::base {

TrustedClock::TrustedClock(const Clock& system, const BootId& boot_id, const ClockBounds& bounds)
    : system_(system), boot_id_(boot_id), bounds_(bounds), time_(Read(), bounds) {
  MutexLock lock(mutex_);
  Publish();
}

void TrustedClock::Resume(const std::optional<ClockRecord>& before, Instant last_stamp) {
  MutexLock lock(mutex_);
  time_ = TrustedTime::Resume(before, last_stamp, boot_id_, Read(), bounds_);
  if (before) doubtful_since_ = before->doubtful_since;
  last_trusted_.store(before && before->IsSet() ? before->last_trusted.micros : last_stamp.micros,
                      std::memory_order_release);
  Publish();
}

Instant TrustedClock::Now() const {
  const View view = Look();
  return view.doubtful ? std::min(view.wall, view.trusted) : view.wall;
}

TrustedClock::View TrustedClock::Look() const {
  const int64_t ahead = ahead_.load(std::memory_order_acquire);
  const int64_t offset = offset_.load(std::memory_order_relaxed);
  const ClockReading now = Read();
  View view;
  view.wall = now.wall;
  view.trusted = Instant{offset + now.boot.micros};
  const int64_t difference = view.Offset().micros;
  view.doubtful = difference > ahead || difference < -bounds_.step.micros;
  if (view.doubtful) {
    latest_doubt_.store(difference, std::memory_order_relaxed);
    doubts_.fetch_add(1, std::memory_order_relaxed);
  }
  return view;
}

std::optional<Span> TrustedClock::TakeDoubt() {
  const int64_t offset = latest_doubt_.exchange(0, std::memory_order_relaxed);
  return offset == 0 ? std::nullopt : std::optional<Span>(Span{offset});
}

void TrustedClock::NoteStamp(Instant stamp) {
  int64_t seen = last_trusted_.load(std::memory_order_relaxed);
  if (seen >= stamp.micros) return;
  const View view = Look();
  if (view.doubtful || view.wall + kBehind < stamp) return;
  while (seen < stamp.micros && !last_trusted_.compare_exchange_weak(seen, stamp.micros, std::memory_order_release)) {
  }
}

ClockRecord TrustedClock::Tick() {
  MutexLock lock(mutex_);
  const ClockReading now = Read();
  time_.Observe(now);
  const bool doubtful = time_.IsDoubtful(now);
  if (!doubtful) doubtful_since_ = Instant{};
  if (doubtful && !doubtful_since_.IsSet()) doubtful_since_ = time_.At(now.boot);
  Publish();
  return ClockRecord{boot_id_, now, time_.offset(), time_.settled(), last_trusted(), doubtful_since_};
}

bool TrustedClock::Confirm(Instant stated) {
  MutexLock lock(mutex_);
  const ClockReading now = Read();
  const int64_t difference = (now.wall - stated).micros;
  if (difference > kConfirmed.micros || difference < -kConfirmed.micros) return false;
  time_.Confirm(now);
  doubtful_since_ = Instant{};
  // What was trusted before and lies after the confirmed time was wrong.
  if (last_trusted() > now.wall) last_trusted_.store(now.wall.micros, std::memory_order_release);
  Publish();
  return true;
}

void TrustedClock::Publish() {
  offset_.store(time_.offset().micros, std::memory_order_relaxed);
  ahead_.store(time_.ahead().micros, std::memory_order_release);
}

}  // namespace consent::base
