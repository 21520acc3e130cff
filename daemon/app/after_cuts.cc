#include "daemon/app/after_cuts.h"

#include <malloc.h>

#include <utility>

namespace consent::app {
namespace {

// gRPC lets go of a connection's memory a little after it was cut.
constexpr int kTrims = 3;
constexpr std::chrono::seconds kBetweenLines{10};

}  // namespace

AfterCuts::AfterCuts(const Connections& connections, std::function<void(const ConnectionCounts&)> tell)
    : connections_(connections), tell_(std::move(tell)) {}

void AfterCuts::Look() {
  const ConnectionCounts counts = connections_.Counts();
  if (counts.cut() != cut_) trims_ = kTrims;
  cut_ = counts.cut();
  if (trims_ > 0) {
    --trims_;
    malloc_trim(0);
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
