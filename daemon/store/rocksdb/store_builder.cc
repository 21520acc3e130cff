#include "daemon/store/rocksdb/store_builder.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "daemon/base/file.h"
#include "daemon/base/own_folder.h"
#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/database.h"
#include "daemon/store/rocksdb/head_file.h"
#include "daemon/store/rocksdb/places.h"
#include "daemon/store/rocksdb/recovery.h"
#include "daemon/store/rocksdb/rows.h"
#include "daemon/store/rocksdb/wal_check.h"

namespace consent::store {
namespace {

constexpr size_t kBatchBytes = 4 << 20;

DatabaseOptions Settings(const std::string& path) {
  DatabaseOptions options;
  options.path = path;
  options.block_cache_bytes = 32 << 20;
  options.write_buffer_bytes = 128 << 20;
  options.max_open_files = 256;
  return options;
}

}  // namespace

class StoreBuilder::Impl {
 public:
  Impl(std::string aside, std::unique_ptr<Database> database, const StoreIdentity& identity)
      : aside_(std::move(aside)), database_(std::move(database)), identity_(identity) {}

  const StoreIdentity& identity() const { return identity_; }
  const std::string& aside() const { return aside_; }
  Database& database() { return *database_; }
  rocksdb::WriteBatch& batch() { return batch_; }
  void Close() { database_.reset(); }

  // Of what was just put into the batch.
  absl::Status Gathered(const rocksdb::Status& put) {
    if (!put.ok()) return FromRocks(put, "cannot prepare a write");
    return batch_.GetDataSize() < kBatchBytes ? absl::OkStatus() : Write();
  }
  absl::Status Write() {
    rocksdb::WriteOptions options;
    options.disableWAL = true;  // durable with the flush at the end, or gone with the whole folder
    const rocksdb::Status written = database_->db().Write(options, &batch_);
    batch_.Clear();
    return FromRocks(written, "cannot write to the new database");
  }

 private:
  const std::string aside_;
  std::unique_ptr<Database> database_;
  const StoreIdentity identity_;
  rocksdb::WriteBatch batch_;
};

StoreBuilder::StoreBuilder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StoreBuilder::~StoreBuilder() = default;
const StoreIdentity& StoreBuilder::identity() const { return impl_->identity(); }

absl::StatusOr<std::unique_ptr<StoreBuilder>> StoreBuilder::Create(const std::string& aside,
                                                                   const StoreIdentity& identity) {
  if (absl::Status s = Database::Create(Settings(aside), kStoreRowKey, EncodeStoreRow(identity)); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(Settings(aside));
  if (!database.ok()) return database.status();
  return std::unique_ptr<StoreBuilder>(new StoreBuilder(std::make_unique<Impl>(aside, *std::move(database), identity)));
}

absl::StatusOr<std::unique_ptr<StoreBuilder>> StoreBuilder::Adopt(const std::string& aside,
                                                                  const base::Bytes16& store_id) {
  const absl::StatusOr<uint64_t> log = CheckWalFiles(aside);
  if (!log.ok()) return log.status();
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(Settings(aside));
  if (!database.ok()) return database.status();
  absl::StatusOr<StoreIdentity> identity = ReadIdentity(**database);
  if (!identity.ok()) return identity.status();
  identity->store_id = store_id;
  rocksdb::WriteBatch batch;
  const rocksdb::Status status = batch.Put((*database)->meta(), std::string(kStoreRowKey), EncodeStoreRow(*identity));
  if (!status.ok()) return FromRocks(status, "cannot prepare a write");
  if (absl::Status s = (*database)->Write(batch); !s.ok()) return s;
  return std::unique_ptr<StoreBuilder>(
      new StoreBuilder(std::make_unique<Impl>(aside, *std::move(database), *identity)));
}

absl::Status StoreBuilder::Put(Partition partition, Table table, std::string_view key,
                               std::optional<std::string_view> value) {
  if (absl::Status s = CheckPlace(partition, identity().partitions, table); !s.ok()) return s;
  rocksdb::ColumnFamilyHandle* const family = impl_->database().table(table);
  const std::string row = DiskRowKey(partition, table, key);
  return impl_->Gathered(value ? impl_->batch().Put(family, row, rocksdb::Slice(value->data(), value->size()))
                               : impl_->batch().Delete(family, row));
}

absl::Status StoreBuilder::PutFeed(Partition partition, const FeedRow& row) {
  if (absl::Status s = CheckPlace(partition, identity().partitions); !s.ok()) return s;
  return impl_->Gathered(
      impl_->batch().Put(impl_->database().feed(), FeedKey(partition, row.stamp.sequence),
                         row.erased ? EncodeErasedFeedRow(row) : EncodeFeedRow(row.stamp, row.event, row.chain)));
}

absl::Status StoreBuilder::SetFirstOfFeed(Partition partition, Sequence first) {
  return impl_->Gathered(impl_->batch().Put(impl_->database().meta(), FirstRowKey(partition), EncodeFirstRow(first)));
}

absl::StatusOr<std::string> StoreBuilder::Get(Partition partition, Table table, std::string_view key) {
  if (absl::Status s = CheckPlace(partition, identity().partitions, table); !s.ok()) return s;
  if (absl::Status s = impl_->Write(); !s.ok()) return s;
  std::string value;
  const rocksdb::Status status = impl_->database().db().Get(VerifiedReads(), impl_->database().table(table),
                                                            DiskRowKey(partition, table, key), &value);
  if (!status.ok()) return FromRocks(status, "cannot read a row");
  return value;
}

absl::Status StoreBuilder::Scan(Partition partition, Table table, const Visitor& visit) {
  if (absl::Status s = CheckPlace(partition, identity().partitions, table); !s.ok()) return s;
  if (absl::Status s = impl_->Write(); !s.ok()) return s;
  const std::string begin = DiskRowKey(partition, table, {});
  const std::string end = TableEnd(partition, table);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions options = VerifiedReads();
  options.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> at(
      impl_->database().db().NewIterator(options, impl_->database().table(table)));
  for (at->Seek(begin); at->Valid(); at->Next()) {
    if (!visit(View(at->key()).substr(begin.size()), View(at->value()))) return absl::OkStatus();
  }
  return FromRocks(at->status(), "cannot read rows");
}

absl::StatusOr<Head> StoreBuilder::GetHead(Partition partition) {
  if (absl::Status s = CheckPlace(partition, identity().partitions); !s.ok()) return s;
  if (absl::Status s = impl_->Write(); !s.ok()) return s;
  const std::string end = PartitionEnd(partition);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions options = VerifiedReads();
  options.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> at(impl_->database().db().NewIterator(options, impl_->database().feed()));
  at->SeekToLast();
  if (!at->status().ok()) return FromRocks(at->status(), "cannot read the feed");
  const std::optional<Sequence> sequence =
      at->Valid() ? FeedKeySequence(partition, View(at->key())) : std::optional<Sequence>();
  if (!sequence) return Head{};
  const std::optional<FeedRow> row = DecodeFeedRow(*sequence, View(at->value()));
  if (!row) return absl::DataLossError("the last row of a feed cannot be read");
  return Head{row->stamp, row->chain};
}

absl::Status StoreBuilder::Finish(const std::string& place, const std::string& head_path) {
  if (access(head_path.c_str(), F_OK) == 0) {
    return absl::FailedPreconditionError("the head file " + head_path + " exists already: name one that does not");
  }
  HeadRecord record;
  record.store_id = identity().store_id;
  record.generation = 1;
  for (uint16_t number = 0; number < identity().partitions; ++number) {
    const absl::StatusOr<Head> head = GetHead(Partition{number});
    if (!head.ok()) return head.status();
    record.heads.push_back(*head);
  }
  const rocksdb::Status flushed = impl_->database().db().Flush(rocksdb::FlushOptions(), impl_->database().all());
  if (!flushed.ok()) return FromRocks(flushed, "cannot write out the new database");
  record.position = impl_->database().Position();
  impl_->Close();
  if (absl::Status s = base::SyncFolder(impl_->aside()); !s.ok()) return s;
  std::error_code error;
  std::filesystem::rename(impl_->aside(), place, error);
  if (error) return base::FileError("cannot put the new database into " + place, error.value());
  if (absl::Status s = base::SyncFolder(std::filesystem::absolute(place).lexically_normal().parent_path().string());
      !s.ok()) {
    return s;
  }
  return HeadFile::Replace(head_path, record).status();
}

}  // namespace consent::store
