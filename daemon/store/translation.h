// What a copy of a store has in the place of its rows.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/store/store.h"

namespace consent::store {

// Asked about each row once, the feed's last, each partition's in the order of sequences. Not thread-safe.
class Translation {
 public:
  virtual ~Translation() = default;
  // Nothing, one or several rows to be put into the same partition. DataLoss: it cannot be read.
  virtual absl::StatusOr<std::vector<Write>> Rows(Partition partition, Table table, std::string_view key,
                                                  std::string_view value) = 0;
  // With the same stamp.
  virtual absl::StatusOr<FeedRow> Feed(Partition partition, const FeedRow& row) = 0;
};

}  // namespace consent::store
