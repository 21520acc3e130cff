// From the options to a database that was found complete. Internal to this folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/store/rocksdb/database.h"
#include "daemon/store/rocksdb/head_file.h"
#include "daemon/store/rocksdb/process_lock.h"
#include "daemon/store/rocksdb/recovery.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::store {

// Members go in reverse order: the lock last.
struct Opened {
  std::unique_ptr<ProcessLock> lock;
  std::unique_ptr<Database> database;
  std::unique_ptr<HeadFile> head_file;
  HeadRecord record;  // as the head file now has it
  Recovered recovered;
  std::vector<std::string> accepted_losses;
};

// As RocksStore::Look.
absl::StatusOr<RocksStore::Found> LookAt(const RocksStore::Options& options);
// As RocksStore::Open, without the threads.
absl::StatusOr<Opened> OpenChecked(const RocksStore::Options& options);

}  // namespace consent::store
