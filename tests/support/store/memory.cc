#include "tests/support/store/memory.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "daemon/base/mutex.h"
#include "daemon/store/committer.h"
#include "daemon/store/limits.h"

namespace consent::store {

// One partition: its rows behind a mutex, and its committer.
class MemoryStore::Part final : public CommitEngine {
 public:
  Part(Committer::Options options, std::deque<FeedRow> feed)
      : feed_(std::move(feed)), committer_(std::move(options), *this) {}

  absl::StatusOr<bool> Holds(Partition, const Precondition& precondition) override {
    base::MutexLock lock(mutex_);
    const auto found = rows_.find(RowName{precondition.table, precondition.key});
    if (found == rows_.end()) return !precondition.expected.has_value();
    return precondition.expected.has_value() && found->second == *precondition.expected;
  }

  absl::Status Apply(const std::vector<Prepared>& group) override {
    base::MutexLock lock(mutex_);
    for (const Prepared& commit : group) {
      for (const Write& write : commit.change.writes) {
        if (write.value) {
          rows_.insert_or_assign(Row{write.table, write.key}, *write.value);
        } else {
          rows_.erase(Row{write.table, write.key});
        }
      }
      feed_.push_back(FeedRow{commit.stamp, commit.change.event, commit.chain, false});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Get(Table table, std::string_view key) const {
    base::MutexLock lock(mutex_);
    const auto found = rows_.find(RowName{table, key});
    if (found == rows_.end()) return absl::NotFoundError("no such row");
    return found->second;
  }

  // Up to `limit` rows with from <= key < to.
  std::vector<std::pair<std::string, std::string>> Rows(Table table, std::string_view from, std::string_view to,
                                                        size_t limit) const {
    std::vector<std::pair<std::string, std::string>> rows;
    base::MutexLock lock(mutex_);
    for (auto at = rows_.lower_bound(RowName{table, from}); at != rows_.end() && rows.size() < limit; ++at) {
      if (at->first.first != table || (!to.empty() && at->first.second >= to)) break;
      rows.emplace_back(at->first.second, at->second);
    }
    return rows;
  }

  absl::StatusOr<std::vector<FeedRow>> Feed(Sequence from, size_t limit) const {
    base::MutexLock lock(mutex_);
    if (from < first_) return absl::OutOfRangeError("that part of the feed was truncated");
    std::vector<FeedRow> rows;
    for (size_t i = from - first_; i < feed_.size() && rows.size() < limit; ++i) rows.push_back(feed_[i]);
    return rows;
  }

  void TruncateFeed(Sequence before) {
    base::MutexLock lock(mutex_);
    while (feed_.size() > 1 && first_ < before) {
      feed_.pop_front();
      ++first_;
    }
  }

  void EraseFeed(const std::vector<Sequence>& sequences) {
    base::MutexLock lock(mutex_);
    for (const Sequence sequence : sequences) {
      if (sequence < first_ || sequence - first_ >= feed_.size()) continue;
      FeedRow& row = feed_[sequence - first_];
      row.event = Event{};
      row.erased = true;
    }
  }

  void Erase(const std::vector<RowKey>& rows) {
    base::MutexLock lock(mutex_);
    for (const RowKey& row : rows) rows_.erase(Row{row.table, row.key});
  }

  void Put(const RowKey& row, std::string value) {
    base::MutexLock lock(mutex_);
    rows_.insert_or_assign(Row{row.table, row.key}, std::move(value));
  }

  Committer& committer() { return committer_; }
  const Committer& committer() const { return committer_; }

 private:
  using Row = std::pair<Table, std::string>;
  using RowName = std::pair<Table, std::string_view>;
  struct Order {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return a.first != b.first ? a.first < b.first : std::string_view(a.second) < std::string_view(b.second);
    }
  };

  mutable base::Mutex mutex_;
  std::map<Row, std::string, Order> rows_ GUARDED_BY(mutex_);
  std::deque<FeedRow> feed_ GUARDED_BY(mutex_);
  Sequence first_ GUARDED_BY(mutex_) = 1;  // of feed_.front()
  Committer committer_;                    // last: its thread uses the rest
};

MemoryStore::MemoryStore(Options options) : store_id_(options.store_id) {
  const uint16_t count = std::clamp<uint16_t>(options.partitions, 1, kMaxPartitions);
  std::vector<std::deque<FeedRow>> feeds(count);
  if (options.copy_of != nullptr) {
    (void)options.copy_of->VisitFeed([&](Partition partition, Sequence, const std::optional<FeedRow>& row, size_t) {
      if (row) feeds[partition.number].push_back(*row);
      return row.has_value();
    });
  }
  for (uint16_t number = 0; number < count; ++number) {
    Committer::Options committer;
    committer.clock = options.clock;
    committer.max_queue = options.max_queue;
    committer.first = Partition{number};
    committer.heads.resize(1);
    std::deque<FeedRow>& feed = feeds[number];
    if (!feed.empty()) committer.heads[0] = Head{feed.back().stamp, feed.back().chain};
    partitions_.push_back(std::make_unique<Part>(std::move(committer), std::move(feed)));
  }
  if (options.copy_of == nullptr) return;
  (void)options.copy_of->VisitRows([&](Partition partition, Table table, std::string_view key, std::string_view value) {
    partitions_[partition.number]->Put({table, std::string(key)}, std::string(value));
    return true;
  });
}

MemoryStore::~MemoryStore() { Close(); }

absl::Status MemoryStore::Usable(Partition partition) const {
  if (absl::Status s = CheckPlace(partition, partition_count()); !s.ok()) return s;
  return partitions_[partition.number]->committer().Check();
}

void MemoryStore::Commit(Partition partition, std::vector<Precondition> preconditions, Build build, Done done) {
  if (!CheckPlace(partition, partition_count()).ok()) {
    done(CommitResult{Outcome::kClosed, {}});
    return;
  }
  partitions_[partition.number]->committer().Commit(partition, std::move(preconditions), std::move(build),
                                                    std::move(done));
}

void MemoryStore::Subscribe(Subscriber& subscriber) {
  for (const auto& partition : partitions_) partition->committer().subscribers().Add(subscriber);
}

void MemoryStore::Unsubscribe(Subscriber& subscriber) {
  for (const auto& partition : partitions_) partition->committer().subscribers().Remove(subscriber);
}

void MemoryStore::SetGate(Gate* gate) {
  for (const auto& partition : partitions_) partition->committer().SetGate(gate);
}

absl::StatusOr<std::string> MemoryStore::Get(Partition partition, Table table, std::string_view key) const {
  if (absl::Status s = CheckPlace(partition, partition_count(), table); !s.ok()) return s;
  if (absl::Status s = Usable(partition); !s.ok()) return s;
  return partitions_[partition.number]->Get(table, key);
}

absl::Status MemoryStore::Scan(Partition partition, Table table, std::string_view from, std::string_view to,
                               size_t limit, const Visitor& visit) const {
  if (absl::Status s = CheckPlace(partition, partition_count(), table); !s.ok()) return s;
  if (absl::Status s = Usable(partition); !s.ok()) return s;
  constexpr size_t kBatch = 256;  // rows copied under one lock
  std::string at(from);
  while (limit > 0) {
    const auto rows = partitions_[partition.number]->Rows(table, at, to, std::min(limit, kBatch));
    for (const auto& [key, value] : rows) {
      if (!visit(key, value)) return absl::OkStatus();
    }
    if (rows.size() < std::min(limit, kBatch)) break;
    limit -= rows.size();
    at = rows.back().first + '\0';
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<FeedRow>> MemoryStore::Feed(Partition partition, Sequence from, size_t limit) const {
  if (absl::Status s = Usable(partition); !s.ok()) return s;
  return partitions_[partition.number]->Feed(std::max<Sequence>(from, 1), limit);
}

absl::StatusOr<FeedRow> MemoryStore::FeedAt(Partition partition, Sequence sequence) const {
  if (absl::Status s = Usable(partition); !s.ok()) return s;
  if (sequence == 0) return absl::NotFoundError("sequence numbers start at 1");
  absl::StatusOr<std::vector<FeedRow>> rows = partitions_[partition.number]->Feed(sequence, 1);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return absl::NotFoundError("past the end of the feed");
  return std::move(rows->front());
}

absl::Status MemoryStore::TruncateFeed(Partition partition, Sequence before) {
  if (absl::Status s = Usable(partition); !s.ok()) return s;
  partitions_[partition.number]->TruncateFeed(before);
  return absl::OkStatus();
}

absl::Status MemoryStore::EraseFeed(Partition partition, const std::vector<Sequence>& sequences) {
  if (absl::Status s = Usable(partition); !s.ok()) return s;
  partitions_[partition.number]->EraseFeed(sequences);
  return absl::OkStatus();
}

absl::Status MemoryStore::Erase(Partition partition, const std::vector<RowKey>& rows) {
  for (const RowKey& row : rows) {
    if (absl::Status s = CheckPlace(partition, partition_count(), row.table); !s.ok()) return s;
  }
  if (absl::Status s = Usable(partition); !s.ok()) return s;
  Part& part = *partitions_[partition.number];
  part.committer().NoteErasure();
  part.Erase(rows);
  part.committer().NoteErasure();
  return absl::OkStatus();
}

absl::Status MemoryStore::EraseFromFiles(const EraseTargetsByPartition& targets) {
  if (absl::Status s = CheckRemains(partition_count(), targets); !s.ok()) return s;
  for (const auto& of_partition : targets) {
    if (absl::Status s = Usable(of_partition.first); !s.ok()) return s;
  }
  return absl::OkStatus();
}

void MemoryStore::Damage(Partition partition, const RowKey& row, std::string value) {
  partitions_[partition.number]->Put(row, std::move(value));
}

Head MemoryStore::GetHead(Partition partition) const {
  if (!CheckPlace(partition, partition_count()).ok()) return Head{};
  return partitions_[partition.number]->committer().GetHead(partition);
}

std::optional<ReadVersion> MemoryStore::GetReadVersion(Partition partition) const {
  if (!CheckPlace(partition, partition_count()).ok()) return std::nullopt;
  return partitions_[partition.number]->committer().GetReadVersion();
}

void MemoryStore::Close() {
  for (const auto& partition : partitions_) partition->committer().Close();
}

}  // namespace consent::store
