// The data systems that every partition has, as the store's rows say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/service/registry/row_coverage.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Thread-safe. A registration or a retirement counts when the last partition has its row.
class KnownSystems {
 public:
  explicit KnownSystems(Core& core);
  // False: a row is damaged.
  bool Follow(const store::Committed& committed) EXCLUDES(mutex_);

  // Reads the store, once, before anything is committed. May block. STORE_UNREADABLE, INTERNAL.
  absl::Status Fill() EXCLUDES(mutex_);
  // What some partitions have and others lack, and which; in the order of the systems' numbers.
  std::vector<std::pair<SystemRow, std::vector<store::Partition>>> Unfinished() const EXCLUDES(mutex_);

  std::optional<SystemRow> Find(std::string_view name) const EXCLUDES(mutex_);
  // By number.
  std::vector<SystemRow> List() const EXCLUDES(mutex_);

 private:
  void FollowSystem(store::Partition partition, const SystemRow& row) EXCLUDES(mutex_);
  void Remember(const SystemRow& row) REQUIRES(mutex_);

  Core& core_;
  mutable base::Mutex mutex_;
  RowCoverage coverage_ GUARDED_BY(mutex_);
  std::map<domain::SystemNumber, SystemRow> newest_ GUARDED_BY(mutex_);   // that some partition has
  std::map<domain::SystemNumber, SystemRow> systems_ GUARDED_BY(mutex_);  // that all have
};

}  // namespace consent::service
