#include "tests/bench/footprint.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/store/rocksdb/database.h"
#include "daemon/store/rocksdb/rows.h"
#include "rocksdb/db.h"

namespace consent::bench {
namespace {

// A database with all its column families, for reading alone.
class Reader {
 public:
  explicit Reader(const std::string& path) {
    std::vector<std::string> names;
    status_ = rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &names);
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    rocksdb::DB* db = nullptr;
    if (status_.ok()) status_ = rocksdb::DB::OpenForReadOnly(rocksdb::DBOptions(), path, families, &handles_, &db);
    db_.reset(db);
  }
  ~Reader() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  absl::Status status() const { return status_.ok() ? absl::OkStatus() : absl::UnavailableError(status_.ToString()); }
  rocksdb::DB& db() const { return *db_; }
  const std::vector<rocksdb::ColumnFamilyHandle*>& families() const { return handles_; }

 private:
  rocksdb::Status status_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace

uint64_t Footprint::Rows(const std::string& table) const {
  for (const TableSize& size : tables) {
    if (size.name == table) return size.rows;
  }
  return 0;
}

uint64_t Footprint::BytesWithoutHistory() const {
  uint64_t bytes = 0;
  for (const TableSize& table : tables) bytes += table.name == "feed" ? 0 : table.file_bytes;
  return bytes;
}

absl::StatusOr<Footprint> MeasureFootprint(const std::string& data_dir) {
  Footprint footprint;
  for (const auto& entry : std::filesystem::directory_iterator(data_dir)) {
    if (entry.is_regular_file()) footprint.folder_bytes += entry.file_size();
  }
  const Reader reader(data_dir);
  if (!reader.status().ok()) return reader.status();
  for (rocksdb::ColumnFamilyHandle* family : reader.families()) {
    TableSize size;
    size.name = family->GetName();
    reader.db().GetIntProperty(family, rocksdb::DB::Properties::kEstimateNumKeys, &size.rows);
    reader.db().GetIntProperty(family, rocksdb::DB::Properties::kLiveSstFilesSize, &size.file_bytes);
    footprint.tables.push_back(size);
  }
  return footprint;
}

absl::Status CompactWhole(const std::string& data_dir) {
  const auto database = store::Database::Open({.path = data_dir, .write_buffer_bytes = size_t{64} << 20});
  if (!database.ok()) return database.status();
  for (rocksdb::ColumnFamilyHandle* family : (*database)->all()) {
    const auto status = (*database)->db().CompactRange(rocksdb::CompactRangeOptions(), family, nullptr, nullptr);
    if (!status.ok()) return store::FromRocks(status, "cannot compact");
  }
  return absl::OkStatus();
}

absl::StatusOr<RowSizes> MeasureLeaseRows(const std::string& data_dir, size_t leases) {
  const Reader reader(data_dir);
  if (!reader.status().ok()) return reader.status();
  const auto family = [&](store::Family which) {
    return std::unique_ptr<rocksdb::Iterator>(
        reader.db().NewIterator(rocksdb::ReadOptions(), reader.families()[static_cast<size_t>(which)]));
  };
  RowSizes sizes;
  size_t grants = 0;
  size_t others = 0;
  const auto rows = family(store::Family::kSmall);
  for (rows->SeekToFirst(); rows->Valid() && grants < leases; rows->Next()) {
    const auto place = store::SplitDiskRowKey(store::Family::kSmall, {rows->key().data(), rows->key().size()});
    if (!place || place->table != store::Table::kReview) continue;
    service::GrantRow grant;
    const bool is_grant = service::DecodeGrantRow({rows->value().data(), rows->value().size()}, &grant);
    (is_grant ? sizes.record : sizes.request) += rows->value().size();
    ++(is_grant ? grants : others);
  }
  if (grants == 0) return absl::NotFoundError("no grant in the store");
  sizes.record /= grants;
  sizes.request /= grants;
  size_t seen = 0;
  const auto feed = family(store::Family::kFeed);
  for (feed->SeekToLast(); feed->Valid() && seen < leases; feed->Prev(), ++seen) sizes.feed += feed->value().size();
  sizes.feed /= std::max<size_t>(seen, 1);
  return sizes;
}

absl::StatusOr<RowSizes> MeasureRows(const std::string& data_dir, size_t updates) {
  const Reader reader(data_dir);
  if (!reader.status().ok()) return reader.status();
  const std::unique_ptr<rocksdb::Iterator> at(
      reader.db().NewIterator(rocksdb::ReadOptions(), reader.families().back()));
  RowSizes sizes;
  size_t seen = 0;
  for (at->SeekToLast(); at->Valid() && seen < updates; at->Prev()) {
    const std::string_view key(at->key().data(), at->key().size());
    const auto sequence = store::FeedKeySequence(store::Partition{0}, key);
    const auto feed = store::DecodeFeedRow(sequence.value_or(0), {at->value().data(), at->value().size()});
    service::ChangeRow row;
    if (!feed || !service::DecodeChangeRow(feed->event.body, &row)) {
      return absl::DataLossError("the feed cannot be read");
    }
    if (row.kind != service::ChangeKind::kUpdateSettings) continue;
    sizes.feed += at->value().size();
    sizes.record += service::EncodeSubjectRow({}, row.facts).size();
    ++seen;
  }
  if (seen == 0) return absl::NotFoundError("no update in the feed");
  sizes.feed /= seen;
  sizes.record /= seen;
  sizes.request = service::EncodeRequestRow({}).size();
  return sizes;
}

}  // namespace consent::bench
