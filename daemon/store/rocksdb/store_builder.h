// Makes a store's database outside of a running store: row by row, or out of a backup's copied files. Its rows count
// only once Finish has written the head file: a store without one is refused. No RocksDB type crosses this header.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/store/rocksdb/frozen_store.h"
#include "daemon/store/store.h"

namespace consent::store {

// Not thread-safe. Holds the process's lock on the folder. After an error nothing more is written.
class StoreBuilder {
 public:
  // An empty database in `path`, which must not exist.
  static absl::StatusOr<std::unique_ptr<StoreBuilder>> Create(const std::string& path, const StoreIdentity& identity);
  // The database in `path` (backup::CopyStore), which becomes that of another store: `store_id` is written first of
  // all, durably, so nobody takes the copy for the old store. DataLoss, FailedPrecondition: as FrozenStore::Open.
  static absl::StatusOr<std::unique_ptr<StoreBuilder>> Adopt(const std::string& path, const base::Bytes16& store_id);
  ~StoreBuilder();

  const StoreIdentity& identity() const;
  // Collected, and written in bounded batches. nullopt deletes.
  absl::Status Put(Partition partition, Table table, std::string_view key, std::optional<std::string_view> value);
  // A row of the feed, with its chain as it is; an erased one becomes a stub.
  absl::Status PutFeed(Partition partition, const FeedRow& row);
  // Where a feed begins that was truncated.
  absl::Status SetFirstOfFeed(Partition partition, Sequence first);
  // What was put so far included. NotFound: no such row.
  absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key);
  // The last row of the partition's feed, what was put included; sequence 0: none.
  absl::StatusOr<Head> GetHead(Partition partition);
  absl::Status Scan(Partition partition, Table table, const Visitor& visit);
  // Writes and syncs all, closes the database and makes the head file at `head_path`, which must not exist. Nothing may
  // be called afterwards.
  absl::Status Finish(const std::string& head_path);

 private:
  class Impl;
  explicit StoreBuilder(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace consent::store
