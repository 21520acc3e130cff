// How a deletion request is named within a store.
#pragma once

#include <cstdint>

#include "daemon/store/store.h"

namespace consent::service {

// Names a request within its partition: 256 times the sequence of the commit that received it, plus which of that
// commit's it is.
using DeletionNumber = uint64_t;
inline constexpr uint64_t kDeletionsPerCommit = 256;
constexpr DeletionNumber NumberOf(store::Sequence received, uint64_t index = 0) {
  return received * kDeletionsPerCommit + index;
}

// Where a request lies.
struct DeletionPlace {
  store::Partition partition;
  DeletionNumber number = 0;
  auto operator<=>(const DeletionPlace&) const = default;
};

}  // namespace consent::service
