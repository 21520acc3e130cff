// A store that nobody writes to: a backup's, a staged copy's, or one whose daemon is stopped. Every row is read once,
// in the order of the disk. Implementation: rocksdb/frozen_rocks.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/time.h"
#include "daemon/store/store.h"

namespace consent::store {

// What a store is, written once at creation.
struct StoreIdentity {
  base::Bytes16 store_id{};
  uint16_t partitions = 0;
  base::Bytes16 key_fingerprint{};
  base::Instant created;
};

// Thread-safe. All reads verify the checksums of what they read; DataLoss: it is damaged, Unavailable: it cannot be
// read.
class FrozenStore {
 public:
  // Views die when the visitor returns. Return false to stop.
  using RowVisitor = std::function<bool(Partition, Table, std::string_view key, std::string_view value)>;
  // `row`: nothing where its bytes are none of a feed's row; `bytes`: how many there are.
  using FeedVisitor = std::function<bool(Partition, Sequence, const std::optional<FeedRow>& row, size_t bytes)>;

  virtual ~FrozenStore() = default;
  virtual const StoreIdentity& identity() const = 0;
  // Rows of all tables, whatever number a table has; those of kSubject first, each table's rows of a partition together
  // in the order of keys.
  virtual absl::Status VisitRows(const RowVisitor& visit) const = 0;
  // Rows of all feeds, by partition and sequence; erased ones are stubs.
  virtual absl::Status VisitFeed(const FeedVisitor& visit) const = 0;
  // Where a partition's feed begins; 1 unless it was truncated.
  virtual absl::StatusOr<Sequence> FirstOfFeed(Partition partition) const = 0;
  // NotFound: no such row.
  virtual absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key) const = 0;

  // Where the rows lie: files and bytes by the engine's own parts, for people.
  struct Part {
    std::string name;
    uint64_t files = 0;
    uint64_t bytes = 0;
  };
  virtual std::vector<Part> Parts() const = 0;
};

}  // namespace consent::store
