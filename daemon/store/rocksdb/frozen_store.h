// A database folder opened read-only: a backup's, a staged copy's, or that of a store whose daemon is stopped. Reads
// every row once, in the order of the disk. No RocksDB type crosses this header.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/time.h"
#include "daemon/store/store.h"

namespace consent::store {

// What a store says of itself.
struct StoreIdentity {
  base::Bytes16 store_id{};
  uint16_t partitions = 0;
  base::Bytes16 key_fingerprint{};
  base::Instant created;
};

// The format of all rows that this build writes and reads.
uint8_t DataFormat();

// Thread-safe. Writes nothing into the folder and takes no lock: nobody else may write there while it is open.
class FrozenStore {
 public:
  // Views die when the visitor returns. Return false to stop.
  using RowVisitor = std::function<bool(Partition, Table, std::string_view key, std::string_view value)>;
  // `value`: as it is stored (EncodeFeedRow), which may be damaged.
  using FeedVisitor = std::function<bool(Partition, Sequence, std::string_view value)>;

  // NotFound: no database there; DataLoss: damaged; FailedPrecondition: of another format.
  static absl::StatusOr<std::unique_ptr<FrozenStore>> Open(const std::string& path);
  ~FrozenStore();

  const StoreIdentity& identity() const;
  // Rows of all tables, whatever number a table has; by column family, then partition, table, key. DataLoss: a key that
  // is no row's, or a block that cannot be read.
  absl::Status VisitRows(const RowVisitor& visit) const;
  // Rows of all feeds, by partition and sequence.
  absl::Status VisitFeed(const FeedVisitor& visit) const;
  // Where a partition's feed begins; 1 unless it was truncated.
  absl::StatusOr<Sequence> FirstOfFeed(Partition partition) const;
  // NotFound: no such row.
  absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key) const;
  // Bytes of files by column family, and how many files. For people.
  struct FamilySize {
    std::string name;
    uint64_t files = 0;
    uint64_t bytes = 0;
  };
  std::vector<FamilySize> Sizes() const;

 private:
  class Impl;
  explicit FrozenStore(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace consent::store
