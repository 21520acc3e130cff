// What a store folder holds, read from its files while nobody has it open.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace consent::bench {

struct TableSize {
  std::string name;
  uint64_t rows = 0;  // as the engine estimates them
  uint64_t file_bytes =
      0;  // of its table files: keys, values, indexes, filters and what compaction has not yet dropped
};

struct Footprint {
  std::vector<TableSize> tables;
  uint64_t folder_bytes = 0;  // everything in the folder, logs included

  uint64_t Rows(const std::string& table) const;
  // Of all tables but the feed, which is the history.
  uint64_t BytesWithoutHistory() const;
};

absl::StatusOr<Footprint> MeasureFootprint(const std::string& data_dir);

// Rewrites the store's table files, so that a daemon on it has none to rewrite: it reads back what it wrote, through
// the block cache, which then fills whenever that happens.
absl::Status CompactWhole(const std::string& data_dir);

// Sizes of the values that the last updates of a store wrote, on average.
struct RowSizes {
  size_t record = 0;
  size_t feed = 0;
  size_t request = 0;
};
absl::StatusOr<RowSizes> MeasureRows(const std::string& data_dir, size_t updates);
// The same of review grants: the grant, its event, and the two rows beside it.
absl::StatusOr<RowSizes> MeasureLeaseRows(const std::string& data_dir, size_t leases);

}  // namespace consent::bench
