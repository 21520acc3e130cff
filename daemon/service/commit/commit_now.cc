#include "daemon/service/commit/commit_now.h"

#include <chrono>
#include <future>
#include <thread>

#include "daemon/base/hash.h"
#include "daemon/wire/errors.h"

namespace consent::service {

store::CommitResult CommitNow(Core& core, store::Partition partition, std::vector<store::Precondition> preconditions,
                              store::Build build, const std::function<void(const store::Stamp&)>& publish) {
  std::promise<store::CommitResult> promise;
  core.store.Commit(partition, std::move(preconditions), std::move(build), [&](const store::CommitResult& result) {
    if (result.outcome == store::Outcome::kCommitted) {
      if (publish) publish(result.stamp);
      core.NoteStamp(result.stamp.time);
    }
    promise.set_value(result);
  });
  return promise.get_future().get();
}

store::CommitResult CommitPatiently(Core& core, store::Partition partition,
                                    const std::vector<store::Precondition>& preconditions, const store::Build& build,
                                    const std::function<void(const store::Stamp&)>& publish) {
  constexpr int kAttempts = 10'000;
  constexpr std::chrono::milliseconds kPause{1};
  store::CommitResult result;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    result = CommitNow(core, partition, preconditions, build, publish);
    const bool is_spurious = result.outcome == store::Outcome::kConflict && preconditions.empty();
    if (result.outcome != store::Outcome::kRetry && !is_spurious) break;
    std::this_thread::sleep_for(kPause);
  }
  return result;
}

absl::Status OutcomeStatus(store::Outcome outcome) {
  switch (outcome) {
    case store::Outcome::kCommitted:
      return absl::OkStatus();
    case store::Outcome::kRetry:
      return wire::MakeError(v1::ERROR_REASON_OVERLOADED,
                             "too many changes are waiting: repeat later; nothing was written");
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

store::Event PlainEvent(ChangeKind kind, const std::string& policy_version, const std::string& detail) {
  ChangeRow row;
  row.kind = kind;
  row.policy_version = policy_version;
  if (!detail.empty()) row.parts.push_back(domain::PartOutcome{domain::Refusal::kNone, true, detail});
  store::Event event;
  event.body = EncodeChangeRow(row);
  event.commitment = base::Sha256(event.body);
  return event;
}

}  // namespace consent::service
