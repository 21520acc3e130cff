#include "daemon/app/after_cuts.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <utility>

namespace consent::app {
namespace {

// gRPC lets go of a connection's memory a little after it was cut.
constexpr int kTrims = 3;
// While cuts go on, the heap's locks are better left to others, unless this much has been added.
constexpr int64_t kMostAdded = int64_t{48} << 20;
constexpr std::chrono::seconds kBetweenLines{10};

int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t all = 0;
  int64_t resident = 0;
  statm >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace

AfterCuts::AfterCuts(const Connections& connections, std::function<void(const ConnectionCounts&)> tell)
    : connections_(connections), tell_(std::move(tell)) {}

void AfterCuts::Look() {
  const ConnectionCounts counts = connections_.Counts();
  const bool goes_on = counts.cut() != cut_;
  cut_ = counts.cut();
  if (goes_on) {
    trims_ = kTrims;
    if (ResidentBytes() > quiet_bytes_ + kMostAdded) malloc_trim(0);
  } else if (trims_ > 0) {
    --trims_;
    malloc_trim(0);
  } else {
    quiet_bytes_ = ResidentBytes();
  }
  const uint64_t noted = counts.cut() + counts.closed[static_cast<size_t>(CloseReason::kEvicted)] +
                         counts.closed[static_cast<size_t>(CloseReason::kTurnedAway)];
  const auto now = std::chrono::steady_clock::now();
  if (noted == told_ || now < next_line_ || !tell_) return;
  told_ = noted;
  next_line_ = now + kBetweenLines;
  tell_(counts);
}

}  // namespace consent::app
