#include "daemon/base/clock.h"

#include <ctime>

namespace consent::base {

Instant SystemClock::Now() const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return Instant{static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000};
}

}  // namespace consent::base
