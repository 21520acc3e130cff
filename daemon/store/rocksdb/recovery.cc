#include "daemon/store/rocksdb/recovery.h"

#include <memory>

#include "daemon/store/limits.h"

namespace consent::store {
namespace {

constexpr uint64_t kMinVerifiedRows = 1000;

absl::Status Damaged(Partition partition, const std::string& what) {
  return absl::DataLossError("the database is damaged: in partition " + std::to_string(partition.number) + " " + what +
                             ". Restore it from a good copy");
}

// Nobody asks for the same rows again: in a thousand partitions their blocks would be a quarter of the cache.
rocksdb::ReadOptions ReadsOnce() {
  rocksdb::ReadOptions options = VerifiedReads();
  options.fill_cache = false;
  return options;
}

std::unique_ptr<rocksdb::Iterator> FeedIterator(const Database& database, const rocksdb::Slice& end) {
  rocksdb::ReadOptions options = ReadsOnce();
  options.iterate_upper_bound = &end;
  return std::unique_ptr<rocksdb::Iterator>(database.db().NewIterator(options, database.feed()));
}

// The row under the iterator.
absl::StatusOr<FeedRow> Current(const rocksdb::Iterator& at, Partition partition) {
  const std::optional<Sequence> sequence = FeedKeySequence(partition, View(at.key()));
  if (!sequence) return Damaged(partition, "a feed key cannot be read");
  std::optional<FeedRow> row = DecodeFeedRow(*sequence, View(at.value()));
  if (!row) return Damaged(partition, "feed row " + std::to_string(*sequence) + " cannot be read");
  return *std::move(row);
}

// Follows the chain back from `row`, on which `at` stands, until enough is verified or the feed begins.
absl::Status VerifyBack(rocksdb::Iterator& at, Partition partition, FeedRow row, Sequence first,
                        uint64_t verify_bytes) {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  while (rows < kMinVerifiedRows || bytes < verify_bytes) {
    ++rows;
    bytes += at.key().size() + at.value().size();
    FeedRow previous;
    if (row.stamp.sequence > first) {
      at.Prev();
      if (!at.status().ok()) return FromRocks(at.status(), "cannot read the feed");
      if (!at.Valid() || !FeedKeySequence(partition, View(at.key()))) {
        return Damaged(partition, "feed rows " + std::to_string(first) + " to " +
                                      std::to_string(row.stamp.sequence - 1) + " are missing");
      }
      absl::StatusOr<FeedRow> read = Current(at, partition);
      if (!read.ok()) return read.status();
      previous = *std::move(read);
      if (previous.stamp.sequence + 1 != row.stamp.sequence) {
        return Damaged(partition, "feed rows " + std::to_string(previous.stamp.sequence + 1) + " to " +
                                      std::to_string(row.stamp.sequence - 1) + " are missing");
      }
    }
    const bool chained = row.stamp.sequence > first || first == 1;  // what stood before a truncated feed is not known
    if (chained && !row.erased && row.chain != NextChain(previous.chain, row.stamp, row.event)) {
      return Damaged(partition, "the chain breaks at feed row " + std::to_string(row.stamp.sequence));
    }
    if (row.stamp.sequence <= first) break;
    row = std::move(previous);
  }
  return absl::OkStatus();
}

absl::StatusOr<Sequence> ReadFirst(const Database& database, Partition partition) {
  std::string value;
  const rocksdb::Status status = database.db().Get(ReadsOnce(), database.meta(), FirstRowKey(partition), &value);
  if (status.IsNotFound()) return Sequence{1};
  if (!status.ok()) return FromRocks(status, "cannot read where the feed begins");
  const std::optional<Sequence> first = DecodeFirstRow(value);
  if (!first) return Damaged(partition, "the row that tells where the feed begins cannot be read");
  return *first;
}

absl::Status RecoverPartition(const Database& database, Partition partition, uint64_t verify_bytes,
                              Recovered* recovered) {
  absl::StatusOr<Sequence> first = ReadFirst(database, partition);
  if (!first.ok()) return first.status();
  const std::string end = PartitionEnd(partition);
  const rocksdb::Slice end_slice(end);
  const std::unique_ptr<rocksdb::Iterator> at = FeedIterator(database, end_slice);
  at->SeekToLast();
  if (!at->status().ok()) return FromRocks(at->status(), "cannot read the feed");
  Head head;
  if (at->Valid() && FeedKeySequence(partition, View(at->key()))) {
    absl::StatusOr<FeedRow> row = Current(*at, partition);
    if (!row.ok()) return row.status();
    head = Head{row->stamp, row->chain};
    if (head.stamp.sequence < *first) return Damaged(partition, "the feed ends before it begins");
    if (absl::Status s = VerifyBack(*at, partition, *std::move(row), *first, verify_bytes); !s.ok()) return s;
    at->Seek(PartitionBegin(partition));
    if (!at->Valid() || FeedKeySequence(partition, View(at->key())) != *first) {
      return Damaged(partition, "the oldest feed row is not number " + std::to_string(*first));
    }
  } else if (*first != 1) {
    return Damaged(partition, "the feed is empty although it had begun");
  }
  recovered->heads.push_back(head);
  recovered->firsts.push_back(*first);
  return absl::OkStatus();
}

// What the record knows of one partition and the database does not.
absl::StatusOr<std::string> FindLoss(const Database& database, Partition partition, const Head& known,
                                     const Head& found, Sequence first) {
  const std::string where = "partition " + std::to_string(partition.number) + ": ";
  const Sequence n = known.stamp.sequence;
  if (found.stamp.sequence < n) {
    return where + "changes " + std::to_string(found.stamp.sequence + 1) + " to " + std::to_string(n) +
           " were acknowledged and are missing";
  }
  if (n == 0) return std::string();
  if (n < first) {
    return where + "the head file ends at change " + std::to_string(n) + ", before the oldest one in the feed";
  }
  std::string value;
  const rocksdb::Status status = database.db().Get(ReadsOnce(), database.feed(), FeedKey(partition, n), &value);
  if (!status.ok() && !status.IsNotFound()) return FromRocks(status, "cannot read the feed");
  const std::optional<FeedRow> row = status.ok() ? DecodeFeedRow(n, value) : std::nullopt;
  if (row && row->chain == known.chain && row->stamp.time == known.stamp.time) return std::string();
  return where + "change " + std::to_string(n) +
         " is not the one that was acknowledged; the two histories part before it";
}

}  // namespace

absl::StatusOr<StoreIdentity> ReadIdentity(const Database& database) {
  std::string value;
  const rocksdb::Status status = database.db().Get(ReadsOnce(), database.meta(), std::string(kStoreRowKey), &value);
  if (!status.ok() && !status.IsNotFound()) return FromRocks(status, "cannot read the store's description");
  if (status.ok() && IsOfAnotherFormat(value)) return RefuseFormat(value);
  const std::optional<StoreIdentity> store = status.ok() ? DecodeStoreRow(value) : std::nullopt;
  if (!store || store->partitions == 0 || store->partitions > kMaxPartitions) {
    return absl::DataLossError(
        "the database holds no description of a store of this version; restore it from a good copy");
  }
  return *store;
}

absl::StatusOr<Recovered> Recover(const Database& database, uint64_t verify_bytes) {
  const absl::StatusOr<StoreIdentity> store = ReadIdentity(database);
  if (!store.ok()) return store.status();
  Recovered recovered;
  recovered.store = *store;
  for (uint16_t number = 0; number < store->partitions; ++number) {
    if (absl::Status s = RecoverPartition(database, Partition{number}, verify_bytes, &recovered); !s.ok()) return s;
  }
  return recovered;
}

absl::StatusOr<std::vector<std::string>> FindLosses(const Database& database, const Recovered& recovered,
                                                    const std::optional<HeadRecord>& record) {
  std::vector<std::string> losses;
  if (!record) {
    for (size_t p = 0; p < recovered.heads.size(); ++p) {
      const Sequence n = recovered.heads[p].stamp.sequence;
      if (n == 0) continue;
      losses.push_back("partition " + std::to_string(p) + ": without a head file nothing tells whether changes after " +
                       std::to_string(n) + " are missing");
    }
    return losses;
  }
  if (record->store_id != recovered.store.store_id) {
    return std::vector<std::string>{"the head file belongs to another store"};
  }
  if (record->heads.size() != recovered.heads.size()) {
    return std::vector<std::string>{"the head file is of another number of partitions"};
  }
  for (size_t p = 0; p < recovered.heads.size(); ++p) {
    absl::StatusOr<std::string> loss = FindLoss(database, Partition{static_cast<uint16_t>(p)}, record->heads[p],
                                                recovered.heads[p], recovered.firsts[p]);
    if (!loss.ok()) return loss.status();
    if (!loss->empty()) losses.push_back(*std::move(loss));
  }
  if (losses.empty() && database.Position() < record->position) {
    losses.push_back("erasures that were written last are missing");
  }
  return losses;
}

}  // namespace consent::store
