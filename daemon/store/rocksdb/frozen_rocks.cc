#include "daemon/store/rocksdb/frozen_rocks.h"

#include <optional>
#include <utility>

#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/database.h"
#include "daemon/store/rocksdb/head_file.h"
#include "daemon/store/rocksdb/process_lock.h"
#include "daemon/store/rocksdb/recovery.h"
#include "daemon/store/rocksdb/rows.h"
#include "daemon/store/rocksdb/wal_check.h"

namespace consent::store {
namespace {

absl::Status NoRow(const char* family) {
  return absl::DataLossError("the database is damaged: family " + std::string(family) +
                             " holds a key that is no row's. Put a good copy in its place");
}

class FrozenRocks final : public FrozenStore {
 public:
  FrozenRocks(std::unique_ptr<ProcessLock> lock, std::unique_ptr<Database> database, const StoreIdentity& identity)
      : lock_(std::move(lock)), database_(std::move(database)), identity_(identity) {}

  const StoreIdentity& identity() const override { return identity_; }
  absl::Status VisitRows(const RowVisitor& visit) const override;
  absl::Status VisitFeed(const FeedVisitor& visit) const override;
  absl::StatusOr<Sequence> FirstOfFeed(Partition partition) const override;
  absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key) const override;
  std::vector<Part> Parts() const override;

 private:
  std::unique_ptr<rocksdb::Iterator> All(Family family) const;

  const std::unique_ptr<ProcessLock> lock_;  // or nullptr
  const std::unique_ptr<Database> database_;
  const StoreIdentity identity_;
};

// Damage that the engine finds while it reads is DataLoss here: nobody else writes, so nothing else explains it.
absl::Status ReadError(const rocksdb::Status& status, const std::string& what) {
  const absl::Status read = FromRocks(status, what);
  return status.IsCorruption() ? absl::DataLossError(read.message()) : read;
}

std::unique_ptr<rocksdb::Iterator> FrozenRocks::All(Family family) const {
  rocksdb::ReadOptions options = VerifiedReads();
  options.fill_cache = false;
  constexpr size_t kReadAhead = 2 << 20;
  options.readahead_size = kReadAhead;
  std::unique_ptr<rocksdb::Iterator> at(database_->db().NewIterator(options, database_->family(family)));
  at->SeekToFirst();
  return at;
}

absl::Status FrozenRocks::VisitRows(const RowVisitor& visit) const {
  for (size_t number = 0; number < kFamilies; ++number) {
    const auto family = static_cast<Family>(number);
    if (family == Family::kMeta || family == Family::kFeed) continue;
    const std::unique_ptr<rocksdb::Iterator> at = All(family);
    for (; at->Valid(); at->Next()) {
      const std::optional<RowPlace> place = SplitDiskRowKey(family, View(at->key()));
      if (!place || place->partition.number >= identity_.partitions) {
        return NoRow(database_->family(family)->GetName().c_str());
      }
      if (!visit(place->partition, place->table, place->key, View(at->value()))) return absl::OkStatus();
    }
    if (!at->status().ok()) return ReadError(at->status(), "cannot read rows");
  }
  return absl::OkStatus();
}

absl::Status FrozenRocks::VisitFeed(const FeedVisitor& visit) const {
  const std::unique_ptr<rocksdb::Iterator> at = All(Family::kFeed);
  for (; at->Valid(); at->Next()) {
    std::string_view rest = View(at->key());
    const std::optional<Partition> partition = TakePartition(&rest);
    const std::optional<Sequence> sequence =
        partition ? FeedKeySequence(*partition, View(at->key())) : std::optional<Sequence>();
    if (!sequence || partition->number >= identity_.partitions) return NoRow("feed");
    if (!visit(*partition, *sequence, DecodeFeedRow(*sequence, View(at->value())), at->value().size())) {
      return absl::OkStatus();
    }
  }
  return ReadError(at->status(), "cannot read the feed");
}

absl::StatusOr<Sequence> FrozenRocks::FirstOfFeed(Partition partition) const {
  std::string value;
  const rocksdb::Status status =
      database_->db().Get(VerifiedReads(), database_->meta(), FirstRowKey(partition), &value);
  if (status.IsNotFound()) return Sequence{1};
  if (!status.ok()) return ReadError(status, "cannot read where a feed begins");
  const std::optional<Sequence> first = DecodeFirstRow(value);
  if (first) return *first;
  return absl::DataLossError("the database is damaged: the row that tells where the feed of partition " +
                             std::to_string(partition.number) + " begins cannot be read");
}

absl::StatusOr<std::string> FrozenRocks::Get(Partition partition, Table table, std::string_view key) const {
  if (absl::Status s = CheckPlace(partition, identity_.partitions, table); !s.ok()) return s;
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      database_->db().Get(VerifiedReads(), database_->table(table), DiskRowKey(partition, table, key), &value);
  if (!status.ok()) return ReadError(status, "cannot read a row");
  return value.ToString();
}

std::vector<FrozenStore::Part> FrozenRocks::Parts() const {
  std::vector<Part> parts;
  for (rocksdb::ColumnFamilyHandle* family : database_->all()) {
    rocksdb::ColumnFamilyMetaData tree;
    database_->db().GetColumnFamilyMetaData(family, &tree);
    if (tree.file_count != 0) parts.push_back({family->GetName(), tree.file_count, tree.size});
  }
  return parts;
}

// A head file that is missing says nothing: only a start demands one.
absl::Status CheckHead(const Database& database, const std::string& head_path) {
  const absl::StatusOr<std::optional<HeadRecord>> record = HeadFile::Read(head_path);
  if (!record.ok() || !record->has_value()) return record.status();
  const absl::StatusOr<Recovered> recovered = Recover(database, 0);
  if (!recovered.ok()) return recovered.status();
  const absl::StatusOr<std::vector<std::string>> losses = FindLosses(database, *recovered, *record);
  if (!losses.ok() || losses->empty()) return losses.status();
  return absl::FailedPreconditionError("the store is not the newest: by its head file " + head_path + ", " +
                                       losses->front() + ". Look at the newest one");
}

absl::StatusOr<std::unique_ptr<FrozenStore>> Open(const std::string& path, std::unique_ptr<ProcessLock> lock,
                                                  const std::string* head_path) {
  absl::StatusOr<uint64_t> log = CheckWalFiles(path);
  if (!log.ok()) return log.status();
  absl::StatusOr<std::unique_ptr<Database>> database = Database::OpenToRead(path);
  if (!database.ok()) return database.status();
  const absl::StatusOr<StoreIdentity> identity = ReadIdentity(**database);
  if (!identity.ok()) return identity.status();
  if (head_path != nullptr) {
    if (absl::Status s = CheckHead(**database, *head_path); !s.ok()) return s;
  }
  return std::make_unique<FrozenRocks>(std::move(lock), *std::move(database), *identity);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FrozenStore>> OpenFrozen(const std::string& path) {
  return Open(path, nullptr, nullptr);
}

absl::StatusOr<std::unique_ptr<FrozenStore>> OpenFrozenLocked(const std::string& path, const std::string& head_path) {
  if (absl::Status s = Database::LookFor(path); !s.ok()) return s;  // no lock file beside what is no store
  absl::StatusOr<std::unique_ptr<ProcessLock>> lock = ProcessLock::Take(path);
  if (!lock.ok()) return lock.status();
  return Open(path, *std::move(lock), &head_path);
}

}  // namespace consent::store
