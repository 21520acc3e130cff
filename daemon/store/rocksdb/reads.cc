// Reads, and writes outside the order of commits.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/impl.h"

namespace consent::store {
namespace {

constexpr size_t kBatchRows = 1000;  // of one write outside the order of commits

absl::Status Truncated() { return absl::OutOfRangeError("that part of the feed was truncated"); }

absl::Status Unreadable(Sequence sequence) {
  return absl::UnavailableError("feed row " + std::to_string(sequence) + " is damaged or missing");
}

}  // namespace

absl::StatusOr<std::string> RocksStore::Impl::Get(Partition partition, Table table, std::string_view key) const {
  if (absl::Status s = CheckPlace(partition, store_.partitions, table); !s.ok()) return s;
  const Use use(*this);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      database_->db().Get(VerifiedReads(), database_->table(table), DiskRowKey(partition, table, key), &value);
  if (!status.ok()) return FromRocks(status, "cannot read a row");
  return value.ToString();
}

absl::Status RocksStore::Impl::Scan(Partition partition, Table table, std::string_view from, std::string_view to,
                                    size_t limit, const Visitor& visit) const {
  if (absl::Status s = CheckPlace(partition, store_.partitions, table); !s.ok()) return s;
  const Use use(*this);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  if (!to.empty() && from >= to) return absl::OkStatus();
  const std::string end = to.empty() ? TableEnd(partition, table) : DiskRowKey(partition, table, to);
  const rocksdb::Slice end_slice(end);
  const size_t prefix = DiskRowKey(partition, table, {}).size();
  rocksdb::ReadOptions options = VerifiedReads();
  options.iterate_upper_bound = &end_slice;
  constexpr size_t kLongScan = 10'000;
  // Reads ahead as RocksDB grows it, from what a range turns out to have: of a thousand partitions each has little, and
  // a fixed megabyte for each took most of a start.
  // A whole table must not push out what checks need. A range is one subject's, and is soon asked for again.
  if (limit > kLongScan && (from.empty() || to.empty())) options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(database_->db().NewIterator(options, database_->table(table)));
  size_t rows = 0;
  for (at->Seek(DiskRowKey(partition, table, from)); rows < limit && at->Valid(); at->Next(), ++rows) {
    if (!visit(View(at->key()).substr(prefix), View(at->value()))) return absl::OkStatus();
  }
  return FromRocks(at->status(), "cannot read rows");
}

absl::StatusOr<std::vector<FeedRow>> RocksStore::Impl::Feed(Partition partition, Sequence from, size_t limit) const {
  if (absl::Status s = CheckPlace(partition, store_.partitions); !s.ok()) return s;
  const Use use(*this);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  const std::atomic<Sequence>& first = firsts_[partition.number];
  Sequence expected = std::max<Sequence>(from, 1);
  if (expected < first) return Truncated();
  const std::string end = PartitionEnd(partition);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions options = VerifiedReads();
  options.iterate_upper_bound = &end_slice;
  const Sequence head = committer_->GetHead(partition).stamp.sequence;  // what is there at least
  std::vector<FeedRow> rows;
  const std::unique_ptr<rocksdb::Iterator> at(database_->db().NewIterator(options, database_->feed()));
  for (at->Seek(FeedKey(partition, expected)); rows.size() < limit && at->Valid(); at->Next(), ++expected) {
    std::optional<FeedRow> row;
    if (FeedKeySequence(partition, View(at->key())) == expected) row = DecodeFeedRow(expected, View(at->value()));
    // A row that is not there may have been truncated away since; otherwise nothing may be skipped.
    if (!row) return from < first ? Truncated() : Unreadable(expected);
    rows.push_back(*std::move(row));
  }
  if (!at->status().ok()) return FromRocks(at->status(), "cannot read the feed");
  if (rows.size() < limit && expected <= head) return from < first ? Truncated() : Unreadable(expected);
  return rows;
}

absl::StatusOr<FeedRow> RocksStore::Impl::FeedAt(Partition partition, Sequence sequence) const {
  if (sequence == 0) return absl::NotFoundError("sequence numbers start at 1");
  absl::StatusOr<std::vector<FeedRow>> rows = Feed(partition, sequence, 1);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return absl::NotFoundError("past the end of the feed");
  return std::move(rows->front());
}

absl::Status RocksStore::Impl::TruncateFeed(Partition partition, Sequence before) {
  if (absl::Status s = CheckPlace(partition, store_.partitions); !s.ok()) return s;
  const Use use(*this);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  base::MutexLock lock(maintenance_mutex_);
  const Sequence first = firsts_[partition.number];
  const Sequence limit = std::min(before, committer_->GetHead(partition).stamp.sequence);
  if (limit <= first) return absl::OkStatus();
  // The head file must not be left, by a power cut, at a row that is gone: nobody could compare chains there.
  if (absl::Status s = SyncHead(); !s.ok()) {
    committer_->Fail(s);
    return s;
  }
  // Row by row: the feed's memtable keeps a hint for each partition, and range deletions would get into the same ones.
  for (Sequence from = first; from < limit;) {
    const Sequence to = std::min(limit, from + kBatchRows);
    rocksdb::WriteBatch batch;
    rocksdb::Status status = batch.Put(database_->meta(), FirstRowKey(partition), EncodeFirstRow(to));
    for (; status.ok() && from < to; ++from) status = batch.Delete(database_->feed(), FeedKey(partition, from));
    if (!status.ok()) return FromRocks(status, "cannot prepare a write");
    firsts_[partition.number] = to;  // first, so that a reader who misses a row knows why
    if (absl::Status s = WriteAside(batch); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status RocksStore::Impl::EraseFeed(Partition partition, const std::vector<Sequence>& sequences) {
  if (absl::Status s = CheckPlace(partition, store_.partitions); !s.ok()) return s;
  const Use use(*this);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  base::MutexLock lock(maintenance_mutex_);
  rocksdb::WriteBatch batch;
  for (const Sequence sequence : sequences) {
    absl::StatusOr<FeedRow> row = FeedAt(partition, sequence);
    if (absl::IsNotFound(row.status()) || absl::IsOutOfRange(row.status())) continue;
    if (!row.ok()) return row.status();
    const rocksdb::Status status =
        batch.Put(database_->feed(), FeedKey(partition, sequence), EncodeErasedFeedRow(*row));
    if (!status.ok()) return FromRocks(status, "cannot prepare a write");
    if (batch.Count() < kBatchRows) continue;
    if (absl::Status s = WriteAside(batch); !s.ok()) return s;
    batch.Clear();
  }
  return batch.Count() == 0 ? absl::OkStatus() : WriteAside(batch);
}

absl::Status RocksStore::Impl::Erase(Partition partition, const std::vector<RowKey>& rows) {
  for (const RowKey& row : rows) {
    if (absl::Status s = CheckPlace(partition, store_.partitions, row.table); !s.ok()) return s;
  }
  if (absl::Status s = CheckPlace(partition, store_.partitions); !s.ok()) return s;
  const Use use(*this);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  for (size_t done = 0; done < rows.size(); done += kBatchRows) {
    rocksdb::WriteBatch batch;
    for (size_t i = done; i < std::min(rows.size(), done + kBatchRows); ++i) {
      const rocksdb::Status status =
          batch.Delete(database_->table(rows[i].table), DiskRowKey(partition, rows[i].table, rows[i].key));
      if (!status.ok()) return FromRocks(status, "cannot prepare a write");
    }
    committer_->NoteErasure();
    absl::Status written = WriteAside(batch);
    committer_->NoteErasure();
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

}  // namespace consent::store
