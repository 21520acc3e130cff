// Which partitions have a row that all are to have.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/store/store.h"

namespace consent::service {

// Not thread-safe.
class RowCoverage {
 public:
  explicit RowCoverage(uint16_t partitions) : partitions_(partitions) {}

  // Notes that the partition has the row. True: now all have it, for the first time.
  bool Add(const std::string& row, store::Partition partition) {
    Partitions& have = rows_[row];
    if (have.is_complete) return false;
    if (have.has.empty()) have.has.resize(partitions_);
    if (have.has[partition.number]) return false;
    have.has[partition.number] = true;
    if (++have.count < partitions_) return false;
    have.is_complete = true;
    have.has = {};
    return true;
  }

  bool IsComplete(const std::string& row) const {
    const auto found = rows_.find(row);
    return found != rows_.end() && found->second.is_complete;
  }

  // In order; none of a row that is complete.
  std::vector<store::Partition> Lacking(const std::string& row) const {
    std::vector<store::Partition> lacking;
    const auto found = rows_.find(row);
    for (uint16_t number = 0; number < partitions_; ++number) {
      const bool has = found != rows_.end() && (found->second.is_complete || found->second.has[number]);
      if (!has) lacking.push_back({number});
    }
    return lacking;
  }

 private:
  struct Partitions {
    std::vector<bool> has;  // empty once it is complete
    uint16_t count = 0;
    bool is_complete = false;
  };
  const uint16_t partitions_;
  std::map<std::string, Partitions> rows_;
};

}  // namespace consent::service
