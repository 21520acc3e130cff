// Makes a store's database outside of a running store: row by row, or out of a backup's copied files. It is built aside
// and takes its place with Finish, so that a half-made one is never taken for a store. No RocksDB type crosses this
// header.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/store/frozen_store.h"
#include "daemon/store/store.h"

namespace consent::store {

// Not thread-safe. After an error all that may be done with it is to destroy it. Nothing is durable before Finish.
class StoreBuilder {
 public:
  // An empty database in the folder `aside`, which must not exist.
  static absl::StatusOr<std::unique_ptr<StoreBuilder>> Create(const std::string& aside, const StoreIdentity& identity);
  // The database whose files were copied to `aside`; it becomes that of another store. DataLoss, FailedPrecondition: as
  // OpenFrozen (frozen_rocks.h).
  static absl::StatusOr<std::unique_ptr<StoreBuilder>> Adopt(const std::string& aside, const base::Bytes16& store_id);
  ~StoreBuilder();

  const StoreIdentity& identity() const;
  // nullopt deletes. Writes are gathered; all reads below see them.
  absl::Status Put(Partition partition, Table table, std::string_view key, std::optional<std::string_view> value);
  // A row of the feed with its chain as given; an erased one is a stub. The caller keeps the feed without gaps.
  absl::Status PutFeed(Partition partition, const FeedRow& row);
  // Where a feed begins that was truncated.
  absl::Status SetFirstOfFeed(Partition partition, Sequence first);
  // NotFound: no such row.
  absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key);
  // In the order of keys. Nothing may be put meanwhile.
  absl::Status Scan(Partition partition, Table table, const Visitor& visit);
  // The last row of the partition's feed; sequence 0: none.
  absl::StatusOr<Head> GetHead(Partition partition);

  // Makes all durable and closes it, moves the folder to `place`, where nothing or an empty folder may be, and writes
  // the head file `head_path`, which must not exist. Killed before its end, `place` is as it was or holds a store that
  // is refused for want of its head file. Nothing may be called afterwards.
  absl::Status Finish(const std::string& place, const std::string& head_path);

 private:
  class Impl;
  explicit StoreBuilder(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace consent::store
