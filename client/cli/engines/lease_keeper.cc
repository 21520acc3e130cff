#include "client/cli/engines/lease_keeper.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "client/cli/exit_codes.h"

namespace consent::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kCallDeadline{5000};
constexpr milliseconds kShortestInterval{10};
// What a wait and a call may take longer than they should.
constexpr nanoseconds kSlack = milliseconds(100);

}  // namespace

KeptLease::KeptLease(TaskLease lease, nanoseconds held_until)
    : lease_(std::move(lease)), held_until_(held_until.count()), ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void KeptLease::End(LeaseState why) {
  state_ = why;
  const uint64_t one = 1;
  // The counter is far from full, so that it cannot fail.
  [[maybe_unused]] const ssize_t written = ::write(ended_.get(), &one, sizeof one);
}

LeaseKeeper::LeaseKeeper(Settings settings, Client& client, Clock& clock,
                         std::function<void(const absl::Status&)> refused)
    : settings_(std::move(settings)), client_(client), clock_(clock), refused_(std::move(refused)), thread_([this] {
        Run();
      }) {}

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

nanoseconds LeaseKeeper::LastMoment(const KeptLease& lease) const {
  return lease.held_until() - settings_.margin - std::min(kSlack, nanoseconds(settings_.visibility) / 40);
}

nanoseconds LeaseKeeper::Wait() const {
  nanoseconds wait = Interval();
  for (const auto& kept : kept_) {
    if (kept->state() == LeaseState::kRenewed) wait = std::min(wait, LastMoment(*kept) - clock_.SinceBoot());
  }
  return std::max(wait, nanoseconds(0));
}

std::vector<std::shared_ptr<KeptLease>> LeaseKeeper::EndOverdue() {
  std::vector<std::shared_ptr<KeptLease>> leases;
  for (const auto& kept : kept_) {
    if (kept->state() != LeaseState::kRenewed) continue;
    // No call is worth a shorter time.
    if (clock_.SinceBoot() + kShortestInterval >= LastMoment(*kept)) {
      kept->End(LeaseState::kUnset);
    } else {
      leases.push_back(kept);
    }
  }
  return leases;
}

void LeaseKeeper::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, Wait(), [this] { return stopping_; })) {
    const std::vector<std::shared_ptr<KeptLease>> leases = EndOverdue();
    lock.unlock();
    if (!leases.empty()) Renew(leases);
    lock.lock();
  }
}

void LeaseKeeper::Renew(const std::vector<std::shared_ptr<KeptLease>>& leases) {
  std::vector<TaskLease> asked;
  asked.reserve(leases.size());
  nanoseconds deadline = std::min<nanoseconds>(kCallDeadline, nanoseconds(settings_.visibility) / 4);
  for (const auto& kept : leases) {
    asked.push_back(kept->lease_);
    deadline = std::min(deadline, LastMoment(*kept) - clock_.SinceBoot());
  }
  const milliseconds limit = std::max(std::chrono::duration_cast<milliseconds>(deadline), milliseconds(1));
  const auto renewals = client_.RenewTasks(settings_.system, asked, settings_.visibility, CallOptions{limit});
  if (!renewals.ok()) {
    if (!NoAnswer(renewals.status()) && !std::exchange(refusal_told_, true)) refused_(renewals.status());
    return;
  }
  for (size_t i = 0; i < leases.size(); ++i) {
    const TaskRenewal& renewal = (*renewals)[i];
    if (renewal.state == LeaseState::kRenewed) {
      leases[i]->held_until_ = renewal.held_until.count();
    } else {
      leases[i]->End(renewal.state == LeaseState::kTakenBack ? LeaseState::kTakenBack : LeaseState::kLost);
    }
  }
}

}  // namespace consent::cli
