#include "client/cli/lease_keeper.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace consent::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kCallDeadline{5000};
constexpr milliseconds kShortestInterval{10};

}  // namespace

KeptLease::KeptLease(TaskLease lease, nanoseconds held_until)
    : lease_(std::move(lease)), held_until_(held_until.count()), ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void KeptLease::End(LeaseState why) {
  state_ = why;
  const uint64_t one = 1;
  // The counter is far from full, so that it cannot fail.
  [[maybe_unused]] const ssize_t written = ::write(ended_.get(), &one, sizeof one);
}

LeaseKeeper::LeaseKeeper(Settings settings, Client& client, Clock& clock)
    : settings_(std::move(settings)), client_(client), clock_(clock), thread_([this] { Run(); }) {}

LeaseKeeper::~LeaseKeeper() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<const KeptLease> LeaseKeeper::Keep(TaskLease lease, nanoseconds held_until) {
  auto kept = std::make_shared<KeptLease>(std::move(lease), held_until);
  const std::lock_guard<std::mutex> lock(mutex_);
  kept_.push_back(kept);
  return kept;
}

void LeaseKeeper::Drop(const std::shared_ptr<const KeptLease>& lease) {
  const std::lock_guard<std::mutex> lock(mutex_);
  kept_.erase(std::remove(kept_.begin(), kept_.end(), lease), kept_.end());
}

milliseconds LeaseKeeper::Interval() const {
  const milliseconds quarter = std::chrono::duration_cast<milliseconds>(settings_.visibility) / 4;
  return std::max(std::min(settings_.interval, quarter), kShortestInterval);
}

void LeaseKeeper::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, Interval(), [this] { return stopping_; })) {
    std::vector<std::shared_ptr<KeptLease>> leases;
    std::copy_if(kept_.begin(), kept_.end(), std::back_inserter(leases),
                 [](const auto& kept) { return kept->state() == LeaseState::kRenewed; });
    lock.unlock();
    if (!leases.empty()) Renew(leases);
    lock.lock();
  }
}

void LeaseKeeper::Renew(const std::vector<std::shared_ptr<KeptLease>>& leases) {
  std::vector<TaskLease> asked;
  asked.reserve(leases.size());
  for (const auto& kept : leases) asked.push_back(kept->lease_);
  const milliseconds left = std::chrono::duration_cast<milliseconds>(settings_.visibility) / 4;
  const auto renewals = client_.RenewTasks(settings_.system, asked, settings_.visibility, CallOptions{std::min(kCallDeadline, left)});
  for (size_t i = 0; i < leases.size(); ++i) {
    KeptLease& kept = *leases[i];
    if (renewals.ok() && (*renewals)[i].state != LeaseState::kRenewed) {
      kept.End((*renewals)[i].state == LeaseState::kTakenBack ? LeaseState::kTakenBack : LeaseState::kLost);
      continue;
    }
    if (renewals.ok()) kept.held_until_ = (*renewals)[i].held_until.count();
    if (clock_.SinceBoot() + Interval() >= kept.held_until() - settings_.margin) kept.End(LeaseState::kUnset);
  }
}

}  // namespace consent::cli
