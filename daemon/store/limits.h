// The contract's bounds, checked in one place for all engines. Pure; thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "daemon/store/store.h"

namespace consent::store {

inline constexpr uint16_t kMaxPartitions = 1024;
inline constexpr size_t kSubjectBytes = 16;
inline constexpr size_t kMaxNameBytes = 64;  // of leases and their holders
// Commits that may wait. Twice what changes of subjects may be under way (app/services.h), so that they never fill it,
// and so beside them four writes to every partition at once: what restricts finds room.
inline constexpr size_t kMaxQueuedCommits = 8192;

// False: some key is over kMaxKeyBytes, or its table is 0 or over kMaxTable.
bool WithinLimits(const std::vector<Precondition>& preconditions);
// False: some key or table, the whole change or the event's subject is over its bound. Sets `*bytes` to the size that
// counts.
bool WithinLimits(const Change& change, size_t* bytes);
// InvalidArgument: no such partition or table.
absl::Status CheckPlace(Partition partition, uint16_t partition_count);
absl::Status CheckPlace(Partition partition, uint16_t partition_count, Table table);
// InvalidArgument: also some key is over kMaxKeyBytes, or there are more than kMaxEraseTargets rows.
absl::Status CheckRemains(uint16_t partition_count, const EraseTargetsByPartition& targets);

}  // namespace consent::store
