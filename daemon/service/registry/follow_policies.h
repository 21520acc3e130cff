// What the rows of policies and suspensions mean for the policy book, and for what is known of each partition.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/policy/state.h"
#include "daemon/service/registry/row_coverage.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// Thread-safe. A version or a suspension comes into the book when the last partition has its row.
class PolicyFollower {
 public:
  explicit PolicyFollower(Core& core);
  // False: a row is damaged.
  bool Follow(const store::Committed& committed) EXCLUDES(mutex_);

  // Reads the store, once, before anything is committed. May block. DataLoss where a row cannot be read.
  absl::Status Fill() EXCLUDES(mutex_);
  // What some partitions have and others lack, and which. In the order of their times.
  template <typename Row>
  using Unfinished = std::vector<std::pair<Row, std::vector<store::Partition>>>;
  Unfinished<policy::PolicyRow> UnfinishedVersions() const EXCLUDES(mutex_);
  Unfinished<SuspensionRow> UnfinishedSuspensions() const EXCLUDES(mutex_);

 private:
  using FindDocument = std::function<absl::StatusOr<std::string>(const std::string& key)>;
  bool FollowPolicy(store::Partition partition, std::string_view key, std::string_view value,
                    const FindDocument& find_document) EXCLUDES(mutex_);
  bool FollowVersion(std::string_view key, std::string_view value, const FindDocument& find_document) REQUIRES(mutex_);
  // Of a version: false where its state is not known.
  bool FollowInForce(store::Partition partition, std::string_view key) REQUIRES(mutex_);
  bool FollowSuspension(store::Partition partition, std::string_view key, std::string_view value) EXCLUDES(mutex_);

  Core& core_;
  mutable base::Mutex mutex_;
  RowCoverage coverage_ GUARDED_BY(mutex_);  // by table and key
  // By the same; those that some partition lacks.
  std::map<std::string, policy::PolicyRow> versions_ GUARDED_BY(mutex_);
  std::map<std::string, SuspensionRow> suspensions_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
