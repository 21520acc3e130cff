#include "daemon/store/limits.h"

#include <algorithm>
#include <string>

namespace consent::store {
namespace {

bool IsTable(Table table) { return table != Table{0} && static_cast<uint8_t>(table) <= kMaxTable; }

}  // namespace

bool WithinLimits(const std::vector<Precondition>& preconditions) {
  return std::all_of(preconditions.begin(), preconditions.end(),
                     [](const Precondition& p) { return p.key.size() <= kMaxKeyBytes && IsTable(p.table); });
}

bool WithinLimits(const Change& change, size_t* bytes) {
  const Event& event = change.event;
  if (!event.subject.empty() && event.subject.size() != kSubjectBytes) return false;
  size_t total = event.subject.size() + event.body.size() + event.commitment.size();
  for (const Write& write : change.writes) {
    if (write.key.size() > kMaxKeyBytes || !IsTable(write.table)) return false;
    total += write.key.size() + (write.value ? write.value->size() : 0);
  }
  *bytes = total;
  return total <= kMaxCommitBytes;
}

absl::Status CheckPlace(Partition partition, uint16_t partition_count) {
  if (partition.number < partition_count) return absl::OkStatus();
  return absl::InvalidArgumentError("the store has no such partition");
}

absl::Status CheckPlace(Partition partition, uint16_t partition_count, Table table) {
  if (!IsTable(table)) return absl::InvalidArgumentError("the store has no such table");
  return CheckPlace(partition, partition_count);
}

absl::Status CheckRemains(uint16_t partition_count, const EraseTargetsByPartition& targets) {
  size_t count = 0;
  for (const auto& [partition, of] : targets) {
    count += of.rows.size() + of.feed.size();
    if (absl::Status s = CheckPlace(partition, partition_count); !s.ok()) return s;
    for (const RowKey& row : of.rows) {
      if (absl::Status s = CheckPlace(partition, partition_count, row.table); !s.ok()) return s;
      if (row.key.size() > kMaxKeyBytes) return absl::InvalidArgumentError("a key is too long");
    }
    for (const Table table : of.tables) {
      if (absl::Status s = CheckPlace(partition, partition_count, table); !s.ok()) return s;
    }
  }
  if (count <= kMaxEraseTargets) return absl::OkStatus();
  return absl::InvalidArgumentError("at most " + std::to_string(kMaxEraseTargets) + " rows can be scrubbed at once");
}

}  // namespace consent::store
