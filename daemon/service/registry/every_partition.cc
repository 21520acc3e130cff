#include "daemon/service/registry/every_partition.h"

#include <algorithm>
#include <utility>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"

namespace consent::service {

WrittenEverywhere WriteEverywhere(Core& core, const EveryPartition& write) {
  WrittenEverywhere written;
  const auto commit_first = write.patiently ? CommitPatiently : CommitNow;
  const store::CommitResult first =
      commit_first(core, kFirstPartition, write.preconditions, [&](const store::Stamp& stamp) {
        // After what another partition stamped: its consents from before a suspension must not look later than its end.
        written.time = std::max(stamp.time, core.Now() + base::Span{1});
        return write.make(kFirstPartition, stamp, written.time);
      });
  written.first = first.outcome;
  written.status = OutcomeStatus(first.outcome);
  if (!written.status.ok()) {
    if (first.outcome != store::Outcome::kUnknown) written.time = base::Instant{};
    return written;
  }
  std::vector<store::Partition> others;
  for (uint16_t number = 1; number < core.store.partition_count(); ++number) others.push_back({number});
  written.status = WriteMissing(core, std::move(others), written.time, write);
  return written;
}

absl::Status WriteMissing(Core& core, std::vector<store::Partition> partitions, base::Instant time,
                          const EveryPartition& write) {
  for (int attempt = 0; attempt < kMaxCommitAttempts; ++attempt) {
    std::vector<PartitionCommit> commits;
    std::vector<store::Partition> written;
    for (const store::Partition partition : partitions) {
      absl::StatusOr<std::optional<store::Precondition>> needs = std::optional<store::Precondition>();
      if (write.needs) needs = write.needs(partition, time);
      if (!needs.ok()) return needs.status();
      if (write.needs && !needs->has_value()) continue;
      PartitionCommit commit{partition, {}, [&write, partition, time](const store::Stamp& stamp) {
                               return write.make(partition, stamp, time);
                             }};
      if (needs->has_value()) commit.preconditions.push_back(**std::move(needs));
      commits.push_back(std::move(commit));
      written.push_back(partition);
    }
    const std::vector<store::CommitResult> results = CommitAllPatiently(core, std::move(commits));
    partitions.clear();
    for (size_t i = 0; i < results.size(); ++i) {
      const store::Outcome outcome = results[i].outcome;
      if (outcome == store::Outcome::kConflict) {
        partitions.push_back(written[i]);
      } else if (absl::Status status = OutcomeStatus(outcome); !status.ok()) {
        return status;
      }
    }
    if (partitions.empty()) return absl::OkStatus();
  }
  return OutcomeStatus(store::Outcome::kConflict);
}

}  // namespace consent::service
