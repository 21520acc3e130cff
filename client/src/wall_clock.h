// What the system says about the time of day, for who injects no clock of his own.
#pragma once

#include <chrono>

#include "consent/types.h"

namespace consent {

inline Time SystemTime() { return std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now()); }

}  // namespace consent
