#include "client/cli/engines/purge_watch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace consent::cli {
namespace {

constexpr std::chrono::milliseconds kWatchDeadline{5000};

}  // namespace

WatchedPurge::WatchedPurge(std::vector<Recording> recordings)
    : recordings_(std::move(recordings)), ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void WatchedPurge::End() {
  const uint64_t one = 1;
  // It stays readable; a second write adds to it.
  [[maybe_unused]] const ssize_t written = ::write(ended_.get(), &one, sizeof one);
}

PurgeWatch::PurgeWatch(std::chrono::milliseconds interval, Client& client)
    : interval_(interval), client_(client), thread_([this] { Run(); }) {}

PurgeWatch::~PurgeWatch() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<const WatchedPurge> PurgeWatch::Begin(std::vector<Recording> recordings) {
  auto purge = std::make_shared<WatchedPurge>(std::move(recordings));
  const std::lock_guard<std::mutex> lock(mutex_);
  running_.push_back(purge);
  return purge;
}

void PurgeWatch::End(const std::shared_ptr<const WatchedPurge>& purge) {
  const std::lock_guard<std::mutex> lock(mutex_);
  running_.erase(std::remove(running_.begin(), running_.end(), purge), running_.end());
}

bool PurgeWatch::AllMustGo(const std::vector<Recording>& recordings) const {
  CallOptions options;
  options.deadline = kWatchDeadline;
  const absl::StatusOr<BatchAnswers> answers = client_.BatchCheck(recordings, Question{}, options);
  return answers.ok() && answers->answers.size() == recordings.size() &&
         std::all_of(answers->answers.begin(), answers->answers.end(),
                     [](const Answer& answer) { return answer.MustPurge(); });
}

void PurgeWatch::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, interval_, [this] { return stopping_; });
    const std::vector<std::shared_ptr<WatchedPurge>> running = running_;
    lock.unlock();
    for (const std::shared_ptr<WatchedPurge>& purge : running) {
      if (!AllMustGo(purge->recordings_)) purge->End();
    }
    lock.lock();
  }
}

}  // namespace consent::cli
