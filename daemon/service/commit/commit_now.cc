#include "daemon/service/commit/commit_now.h"

#include <chrono>
#include <thread>

#include "daemon/base/mutex.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// What comes back of several commits. Thread-safe.
class Results {
 public:
  explicit Results(size_t count) : waiting_(count), results_(count) {}
  void Take(size_t i, const store::CommitResult& result) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    results_[i] = result;
    if (--waiting_ == 0) done_.NotifyAll();
  }
  std::vector<store::CommitResult> Wait() EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    while (waiting_ != 0) done_.Wait(mutex_);
    return std::move(results_);
  }

 private:
  base::Mutex mutex_;
  base::CondVar done_;
  size_t waiting_ GUARDED_BY(mutex_);
  std::vector<store::CommitResult> results_ GUARDED_BY(mutex_);
};

// The queue was full; or a conflict that no precondition can have made.
bool IsToBeRepeated(const PartitionCommit& commit, store::Outcome outcome) {
  return outcome == store::Outcome::kRetry || (outcome == store::Outcome::kConflict && commit.preconditions.empty());
}

}  // namespace

std::vector<store::CommitResult> CommitAll(Core& core, const std::vector<PartitionCommit>& commits) {
  Results results(commits.size());
  for (size_t i = 0; i < commits.size(); ++i) {
    const PartitionCommit& commit = commits[i];
    base::Digest nonce{};
    core.random.Fill(nonce.data(), nonce.size());
    const auto build = [&commit, nonce](const store::Stamp& stamp) {
      store::Change change = commit.build(stamp);
      if (!change.event.body.empty()) Blind(nonce, &change.event.body, &change.event.commitment);
      return change;
    };
    core.store.Commit(commit.partition, commit.preconditions, build,
                      [&results, i](const store::CommitResult& result) { results.Take(i, result); });
  }
  return results.Wait();
}

store::CommitResult CommitNow(Core& core, store::Partition partition,
                              const std::vector<store::Precondition>& preconditions, const store::Build& build) {
  return CommitAll(core, {{partition, preconditions, build}}).front();
}

std::vector<store::CommitResult> CommitAllPatiently(Core& core, std::vector<PartitionCommit> commits) {
  constexpr int kAttempts = 10'000;
  constexpr std::chrono::milliseconds kPause{1};
  std::vector<store::CommitResult> results(commits.size());
  std::vector<size_t> places(commits.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = i;
  for (int attempt = 0; attempt < kAttempts && !commits.empty(); ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kPause);
    const std::vector<store::CommitResult> answers = CommitAll(core, commits);
    std::vector<PartitionCommit> left;
    std::vector<size_t> left_places;
    for (size_t i = 0; i < answers.size(); ++i) {
      results[places[i]] = answers[i];
      if (!IsToBeRepeated(commits[i], answers[i].outcome)) continue;
      left.push_back(std::move(commits[i]));
      left_places.push_back(places[i]);
    }
    commits = std::move(left);
    places = std::move(left_places);
  }
  return results;
}

store::CommitResult CommitPatiently(Core& core, store::Partition partition,
                                    const std::vector<store::Precondition>& preconditions, const store::Build& build) {
  return CommitAllPatiently(core, {{partition, preconditions, build}}).front();
}

absl::Status OutcomeStatus(store::Outcome outcome) {
  switch (outcome) {
    case store::Outcome::kCommitted:
      return absl::OkStatus();
    case store::Outcome::kRetry:
      return wire::OverloadedError("too many changes are waiting: repeat later; nothing was written");
    case store::Outcome::kClosed:
      return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is stopping; nothing was written");
    case store::Outcome::kUnknown:
      return wire::MakeError(v1::ERROR_REASON_OUTCOME_UNKNOWN,
                             "the store failed while writing: look again after the daemon has restarted");
    case store::Outcome::kConflict:
      return wire::MakeError(v1::ERROR_REASON_CONTENTION,
                             "concurrent changes won every time: repeat the call; nothing was written");
    case store::Outcome::kTooLarge:
      break;
  }
  return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a row could not be written");
}

store::Event PlainEvent(ChangeKind kind, const std::string& policy_version, const std::string& detail,
                        const std::string& caller) {
  ChangeRow row;
  row.caller = caller;
  row.kind = kind;
  row.policy_version = policy_version;
  if (!detail.empty()) row.parts.push_back(domain::PartOutcome{domain::Refusal::kNone, true, detail});
  store::Event event;
  event.body = EncodeChangeRow(row);
  return event;
}

}  // namespace consent::service
