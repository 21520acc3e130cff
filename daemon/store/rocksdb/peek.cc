#include "daemon/store/rocksdb/peek.h"

#include <chrono>
#include <memory>
#include <thread>

#include "daemon/store/rocksdb/database.h"

namespace consent::store {

absl::StatusOr<std::string> PeekRow(const std::string& db_path, Partition partition, Table table,
                                    std::string_view key) {
  // A daemon may delete a file between its being listed and its being opened.
  constexpr int kAttempts = 5;
  constexpr std::chrono::milliseconds kPause(200);
  absl::Status failed;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kPause);
    const absl::StatusOr<std::unique_ptr<Database>> database = Database::OpenToRead(db_path);
    failed = database.status();
    if (!database.ok()) continue;
    std::string value;
    const rocksdb::Status status =
        (*database)->db().Get(VerifiedReads(), (*database)->table(table), DiskRowKey(partition, table, key), &value);
    if (status.ok()) return value;
    failed = FromRocks(status, "cannot read a row");
    if (absl::IsNotFound(failed)) return failed;
  }
  return absl::UnavailableError(failed.message());
}

}  // namespace consent::store
