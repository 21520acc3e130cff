#include "tests/support/store/frozen_memory.h"

#include <cstdint>

namespace consent::test {

FrozenMemory::FrozenMemory(const store::Store& store) {
  identity_.store_id = store.store_id();
  identity_.partitions = store.partition_count();
  feeds_.resize(identity_.partitions);
  for (uint16_t number = 0; number < identity_.partitions; ++number) {
    const store::Partition partition{number};
    for (uint8_t table = 1; table <= store::kMaxTable; ++table) {
      (void)store.Scan(partition, static_cast<store::Table>(table), "", "", SIZE_MAX,
                       [&](std::string_view key, std::string_view value) {
                         rows_[{static_cast<store::Table>(table), partition, std::string(key)}] = value;
                         return true;
                       });
    }
    absl::StatusOr<std::vector<store::FeedRow>> feed = store.Feed(partition, 1, SIZE_MAX);
    if (!feed.ok()) continue;
    for (store::FeedRow& row : *feed) feeds_[number].emplace_back(std::move(row));
  }
}

absl::Status FrozenMemory::VisitRows(const RowVisitor& visit) const {
  for (const auto& [key, value] : rows_) {
    if (!visit(key.partition, key.table, key.key, value)) break;
  }
  return absl::OkStatus();
}

absl::Status FrozenMemory::VisitFeed(const FeedVisitor& visit) const {
  for (uint16_t number = 0; number < identity_.partitions; ++number) {
    store::Sequence sequence = 0;
    for (const std::optional<store::FeedRow>& row : feeds_[number]) {
      sequence = row ? row->stamp.sequence : sequence + 1;
      if (!visit({number}, sequence, row, 0)) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FrozenMemory::Get(store::Partition partition, store::Table table,
                                              std::string_view key) const {
  const auto found = rows_.find({table, partition, std::string(key)});
  if (found == rows_.end()) return absl::NotFoundError("no such row");
  return found->second;
}

}  // namespace consent::test
