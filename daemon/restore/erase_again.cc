#include "daemon/restore/erase_again.h"

#include <memory>
#include <vector>

#include "daemon/service/rows/change_row.h"
#include "daemon/service/state/core.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace consent::restore {
namespace {

// Where the entries of a subject's history stand, from its newest one back to what is truncated or erased.
absl::StatusOr<std::vector<store::Sequence>> EntriesOf(const store::Store& store, store::Partition partition,
                                                       const base::SubjectHandle& subject, store::Sequence newest) {
  std::vector<store::Sequence> entries;
  for (store::Sequence next = newest; next != 0;) {
    const absl::StatusOr<store::FeedRow> feed = store.FeedAt(partition, next);
    if (absl::IsOutOfRange(feed.status())) break;
    if (!feed.ok()) return feed.status();
    if (feed->erased) break;
    service::ChangeRow row;
    if (feed->event.subject != base::View(subject.bytes) || !service::DecodeChangeRow(feed->event.body, &row)) {
      return absl::DataLossError("a subject's history cannot be read to its beginning");
    }
    entries.push_back(next);
    next = row.previous;
  }
  return entries;
}

// As many at a time as EraseFromFiles takes.
absl::Status EraseInPieces(store::Store& store, const store::EraseTargetsByPartition& all) {
  store::EraseTargetsByPartition piece;
  size_t rows = 0;
  const auto erase = [&] {
    if (rows == 0) return absl::OkStatus();
    absl::Status s = store.EraseFromFiles(piece);
    piece.clear();
    rows = 0;
    return s;
  };
  for (const auto& [partition, targets] : all) {
    for (const store::RowKey& row : targets.rows) {
      piece[partition].rows.push_back(row);
      if (++rows < store::kMaxEraseTargets) continue;
      if (absl::Status s = erase(); !s.ok()) return s;
    }
    for (const store::Sequence sequence : targets.feed) {
      piece[partition].feed.push_back(sequence);
      if (++rows < store::kMaxEraseTargets) continue;
      if (absl::Status s = erase(); !s.ok()) return s;
    }
  }
  return erase();
}

}  // namespace

absl::StatusOr<uint64_t> EraseAgain(const MadeStore& made, const Means& means, const Replay& replay) {
  store::RocksStore::Options options;
  options.db_path = made.folder;
  options.head_path = made.head_file;
  options.partitions = made.partitions;
  options.clock = &means.clock;
  options.random = &means.random;
  options.key_fingerprint = means.keys.Fingerprint();
  absl::StatusOr<std::unique_ptr<store::RocksStore>> opened = store::RocksStore::Open(options);
  if (!opened.ok()) return opened.status();
  store::RocksStore& store = **opened;
  store::EraseTargetsByPartition targets = replay.targets();
  for (const auto& [subject, newest] : replay.histories()) {
    const store::Partition partition = service::PartitionOf(subject, made.partitions);
    const absl::StatusOr<std::vector<store::Sequence>> entries = EntriesOf(store, partition, subject, newest);
    if (!entries.ok()) return entries.status();
    if (absl::Status s = store.EraseFeed(partition, *entries); !s.ok()) return s;
    std::vector<store::Sequence>& feed = targets[partition].feed;
    feed.insert(feed.end(), entries->begin(), entries->end());
  }
  uint64_t rows = 0;
  for (const auto& [partition, of] : targets) rows += of.rows.size() + of.feed.size();
  if (absl::Status s = EraseInPieces(store, targets); !s.ok()) return s;
  store.Close();
  return rows;
}

}  // namespace consent::restore
