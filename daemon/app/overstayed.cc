#include "daemon/app/overstayed.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace consent::app {

void Overstayed::EndSome(std::chrono::steady_clock::time_point now) {
  if (callers_ == nullptr) return;
  for (callers::CallerConnections::Overstay& over : callers_->TakeOverstays(now)) {
    if (tell_) tell_(over.caller, over.connections.size());
    const size_t each_time = (over.connections.size() + kSteps - 1) / kSteps;
    endings_.push_back({std::move(over.connections), each_time});
  }
  for (Ending& ending : endings_) {
    const size_t count = std::min(ending.each_time, ending.left.size());
    const auto first = ending.left.end() - static_cast<std::ptrdiff_t>(count);
    const std::vector<std::string> names(std::make_move_iterator(first), std::make_move_iterator(ending.left.end()));
    ending.left.erase(first, ending.left.end());
    (void)connections_.EndNamed(names, CloseReason::kOverLimit);
  }
  std::erase_if(endings_, [](const Ending& ending) { return ending.left.empty(); });
}

}  // namespace consent::app
