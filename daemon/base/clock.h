// Where "now" comes from. Injected everywhere; main owns the real one.
#pragma once

#include "daemon/base/time.h"

namespace consent::base {

// Thread-safe. Now() may go backwards (it is the wall clock); users that need order say so themselves.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
};

// The system's wall clock (CLOCK_REALTIME).
class SystemClock final : public Clock {
 public:
  Instant Now() const override;
};

}  // namespace consent::base
