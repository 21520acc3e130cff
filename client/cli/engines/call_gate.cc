#include "client/cli/engines/call_gate.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "consent/error.h"

namespace consent::cli {
namespace {

// How many calls the daemon lets this caller have under way; 0: it does not say.
size_t CallsInFlight(const Error& error) {
  const auto limit = error.metadata.find("limit");
  const auto value = error.metadata.find("value");
  if (limit == error.metadata.end() || limit->second != "calls_in_flight" || value == error.metadata.end()) return 0;
  size_t most = 0;
  const std::string& text = value->second;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), most);
  return fault == std::errc() && end == text.data() + text.size() ? most : 0;
}

}  // namespace

bool CallGate::ComesAgain(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    case absl::StatusCode::kResourceExhausted: {
      const Error error = ErrorOf(status);
      return error.retry_after.has_value() || error.reason == "OVERLOADED";
    }
    default:
      return false;
  }
}

void CallGate::Enter() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    const std::chrono::nanoseconds now = clock_.SinceBoot();
    if (now < pause_until_) {
      const std::chrono::nanoseconds rest = pause_until_ - now;
      lock.unlock();
      clock_.Sleep(rest);
      lock.lock();
    } else if (inside_ >= window_) {
      room_.wait(lock);
    } else {
      ++inside_;
      return;
    }
  }
}

void CallGate::Leave() {
  const std::lock_guard<std::mutex> lock(mutex_);
  --inside_;
  room_.notify_one();
}

bool CallGate::HoldBack(const absl::Status& why) {
  const Error error = ErrorOf(why);
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::chrono::nanoseconds now = clock_.SinceBoot();
  ++pauses_;
  if (const size_t most = CallsInFlight(error); most != 0) {
    // Others call under the same name, too.
    window_ = std::max<size_t>(1, std::min(window_, most / 2));
  } else if (error.reason == "OVERLOADED") {
    window_ = std::max<size_t>(1, window_ / 2);
  }
  const std::chrono::nanoseconds asked = error.retry_after.value_or(std::chrono::nanoseconds(0));
  pause_until_ = std::max(pause_until_, now + std::max<std::chrono::nanoseconds>(asked, kShortestPause));
  return now - last_answer_ < kPatience;
}

absl::Status CallGate::Pass(const std::function<absl::Status()>& call) {
  for (;;) {
    Enter();
    absl::Status status = call();
    Leave();
    if (!ComesAgain(status)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      last_answer_ = clock_.SinceBoot();
      return status;
    }
    if (!HoldBack(status)) return status;
  }
}

size_t CallGate::pauses() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return pauses_;
}

}  // namespace consent::cli
