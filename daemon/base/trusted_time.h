// Which time is believed: the boot clock plus an offset that the wall clock cannot move by a jump. Pure; reads no
// clock.
#pragma once

#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/time.h"

namespace consent::base {

// Both clocks at one moment.
struct ClockReading {
  Instant wall;
  Span boot;
};

// How far the wall may be from the trusted time before it is doubtful.
struct ClockBounds {
  Span step = Hours(1);     // within one boot, in either direction; over a reboot backwards
  Span downtime = Days(7);  // over a reboot forwards: how long the machine may have been off
};

// What outlives the process.
struct ClockRecord {
  BootId boot_id{};
  ClockReading read;       // when it was written
  Span offset;             // trusted time = boot clock + offset
  bool settled = false;    // false: since the reboot the trusted time is only known not to be later
  Instant last_trusted;    // the last stamp that was made while time was trusted
  Instant doubtful_since;  // by the trusted time; unset: the wall was believed

  bool IsSet() const { return read.wall.IsSet(); }
  bool operator==(const ClockRecord& other) const {
    return boot_id == other.boot_id && read.wall == other.read.wall && read.boot == other.read.boot &&
           offset == other.offset && settled == other.settled && last_trusted == other.last_trusted &&
           doubtful_since == other.doubtful_since;
  }
};

// A value. The offset moves by Confirm, and by at most 500 ppm of the boot clock towards a wall that is not doubtful:
// so steps below the bound add up and are seen, and so is a clock that runs too fast.
class TrustedTime {
 public:
  // Of a wall that is believed as it is.
  TrustedTime(const ClockReading& now, const ClockBounds& bounds);
  // What was known before the process began, and its last stamp; either may be unset. Within one boot the offset goes
  // on. Over a reboot the time of the record is the earliest possible: a wall up to `downtime` after it is believed,
  // one before it is not.
  static TrustedTime Resume(const std::optional<ClockRecord>& before, Instant last_stamp, const BootId& boot_id,
                            const ClockReading& now, const ClockBounds& bounds);

  Instant At(Span boot) const { return Instant{offset_.micros + boot.micros}; }
  // The wall is further from the trusted time than the bounds allow. Ends by itself when the wall goes back.
  bool IsDoubtful(const ClockReading& now) const;
  // Follows a wall that is not doubtful. To be called every second or so.
  void Observe(const ClockReading& now);
  // Somebody vouches for the wall.
  void Confirm(const ClockReading& now);

  Span offset() const { return offset_; }
  bool settled() const { return settled_; }
  // How far ahead of the trusted time the wall may be.
  Span ahead() const { return settled_ ? bounds_.step : bounds_.downtime; }
  Span behind() const { return bounds_.step; }

 private:
  Span offset_;
  bool settled_ = true;
  Span observed_;  // by the boot clock
  ClockBounds bounds_;
};

}  // namespace consent::base
