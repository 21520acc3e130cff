// Where "now" comes from. Injected everywhere; main owns the real one.
#pragma once

#include "daemon/base/bytes.h"
#include "daemon/base/time.h"

namespace consent::base {

// Thread-safe. Two clocks that are never mixed: dates come from the wall, spans within this boot from the boot clock.
class Clock {
 public:
  virtual ~Clock() = default;
  // The wall clock: what people mean. May go backwards; users that need order say so themselves.
  virtual Instant Now() const = 0;
  // Time since the machine was booted, suspended time included. Never goes backwards, and nobody sets it.
  virtual Span SinceBoot() const = 0;
};

// The system's clocks (CLOCK_REALTIME, CLOCK_BOOTTIME).
class SystemClock final : public Clock {
 public:
  Instant Now() const override;
  Span SinceBoot() const override;
};

// Which boot of which machine this is: what the boot clock counts from.
using BootId = Bytes16;

// A moment by the boot clock. Another boot's is over: nothing tells how long ago it was. A default-constructed one is
// over, too.
struct BootTime {
  BootId boot{};
  Span since;
  bool operator==(const BootTime&) const = default;
};

// The kernel's (/proc/sys/kernel/random/boot_id). False where it cannot be read; then every process must take an id of
// chance, so that a restart counts as a reboot.
bool ReadBootId(BootId* id);

}  // namespace consent::base
