#include "daemon/service/registry/every_partition.h"

#include <algorithm>
#include <utility>

#include "daemon/service/commit/commit_now.h"

namespace consent::service {

WrittenEverywhere WriteEverywhere(Core& core, const EveryPartition& write) {
  constexpr store::Partition kFirst{0};
  WrittenEverywhere written;
  const store::CommitResult first = CommitNow(
      core, kFirst, write.preconditions,
      [&](const store::Stamp& stamp) {
        // After what another partition stamped: its consents from before a suspension must not look later than its end.
        written.time = std::max(stamp.time, core.Now() + base::Span{1});
        return write.make(kFirst, stamp, written.time);
      },
      [&](const store::Stamp&) {
        if (write.publish) write.publish(kFirst, written.time);
      });
  written.status = OutcomeStatus(first.outcome);
  if (!written.status.ok()) {
    if (first.outcome != store::Outcome::kUnknown) written.time = base::Instant{};
    return written;
  }
  std::vector<store::Partition> others;
  for (uint16_t number = 1; number < core.store.partition_count(); ++number) others.push_back({number});
  written.status = WriteMissing(core, others, written.time, write);
  if (written.status.ok()) core.NoteStamp(written.time);
  return written;
}

absl::Status WriteMissing(Core& core, const std::vector<store::Partition>& partitions, base::Instant time,
                          const EveryPartition& write) {
  std::vector<PartitionCommit> commits;
  commits.reserve(partitions.size());
  for (const store::Partition partition : partitions) {
    commits.push_back(
        {partition,
         {},
         [&write, partition, time](const store::Stamp& stamp) { return write.make(partition, stamp, time); },
         [&write, partition, time](const store::Stamp&) {
           if (write.publish) write.publish(partition, time);
         }});
  }
  for (const store::CommitResult& result : CommitAllPatiently(core, std::move(commits))) {
    if (absl::Status status = OutcomeStatus(result.outcome); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace consent::service
