#include "daemon/store/rocksdb/copy_store.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "daemon/base/own_folder.h"
#include "daemon/store/rocksdb/database.h"
#include "daemon/store/rocksdb/places.h"
#include "daemon/store/rocksdb/process_lock.h"
#include "daemon/store/rocksdb/recovery.h"
#include "daemon/store/rocksdb/store_builder.h"
#include "daemon/store/rocksdb/wal_check.h"

namespace consent::store {
namespace {

absl::Status PutRow(Translation* translation, Partition partition, Table table, std::string_view key,
                    std::string_view value, StoreBuilder& builder) {
  if (translation == nullptr) return builder.Put(partition, table, key, value);
  const absl::StatusOr<std::vector<Write>> rows = translation->Rows(partition, table, key, value);
  absl::Status put = rows.status();
  for (size_t i = 0; put.ok() && i < rows->size(); ++i) {
    const Write& row = (*rows)[i];
    put = builder.Put(partition, row.table, row.key, row.value);
  }
  return put;
}

absl::Status PutFeedRow(Translation* translation, Partition partition, const FeedRow& row, StoreBuilder& builder) {
  if (translation == nullptr) return builder.PutFeed(partition, row);
  const absl::StatusOr<FeedRow> translated = translation->Feed(partition, row);
  return translated.ok() ? builder.PutFeed(partition, *translated) : translated.status();
}

absl::Status PutAll(const FrozenStore& from, Translation* translation, StoreBuilder& builder) {
  absl::Status put;
  absl::Status read =
      from.VisitRows([&](Partition partition, Table table, std::string_view key, std::string_view value) {
        put = PutRow(translation, partition, table, key, value, builder);
        return put.ok();
      });
  if (!read.ok() || !put.ok()) return read.ok() ? put : read;
  read = from.VisitFeed([&](Partition partition, Sequence sequence, const std::optional<FeedRow>& row, size_t) {
    put = row ? PutFeedRow(translation, partition, *row, builder)
              : absl::DataLossError("feed row " + std::to_string(sequence) + " cannot be read");
    return put.ok();
  });
  if (!read.ok() || !put.ok()) return read.ok() ? put : read;
  for (uint16_t number = 0; number < from.identity().partitions; ++number) {
    const absl::StatusOr<Sequence> first = from.FirstOfFeed({number});
    if (!first.ok()) return first.status();
    if (*first == 1) continue;
    if (absl::Status s = builder.SetFirstOfFeed({number}, *first); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CopyStoreTo(const FrozenStore& from, const StoreIdentity& identity, Translation* translation,
                         const std::string& to, const std::string& head_path) {
  std::error_code error;
  for (const std::string& place : {to, head_path}) {
    if (!std::filesystem::exists(std::filesystem::symlink_status(place, error))) continue;
    return absl::FailedPreconditionError(place + " is there already: name a place where nothing is");
  }
  const std::string aside = to + ".copying";
  if (absl::Status s = base::RemoveOwnFolder("a store that is being copied", aside, IsOfDatabase); !s.ok()) return s;
  const absl::StatusOr<std::unique_ptr<StoreBuilder>> builder = StoreBuilder::Create(aside, identity);
  if (!builder.ok()) return builder.status();
  if (absl::Status s = PutAll(from, translation, **builder); !s.ok()) return s;
  return (*builder)->Finish(to, head_path);
}

absl::Status CompactStore(const std::string& path) {
  if (absl::Status s = Database::LookFor(path); !s.ok()) return s;
  const absl::StatusOr<std::unique_ptr<ProcessLock>> lock = ProcessLock::Take(path);
  if (!lock.ok()) return lock.status();
  const absl::StatusOr<uint64_t> log = CheckWalFiles(path);
  if (!log.ok()) return log.status();
  constexpr size_t kMemory = 64 << 20;
  constexpr int kOpenFiles = 256;
  const absl::StatusOr<std::unique_ptr<Database>> database = Database::Open({path, kMemory, kMemory, kOpenFiles});
  if (!database.ok()) return database.status();
  if (const auto identity = ReadIdentity(**database); !identity.ok()) return identity.status();
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (rocksdb::ColumnFamilyHandle* family : (*database)->all()) {
    const rocksdb::Status status = (*database)->db().CompactRange(options, family, nullptr, nullptr);
    if (!status.ok()) return FromRocks(status, "cannot rewrite table files");
  }
  return absl::OkStatus();
}

}  // namespace consent::store
