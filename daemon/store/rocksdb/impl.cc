#include "daemon/store/rocksdb/impl.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace consent::store {

RocksStore::Impl::Impl(const Options& options, Opened opened)
    : clock_(options.clock),
      trusted_(options.trusted),
      store_(opened.recovered.store),
      db_path_(options.db_path),
      accepted_losses_(std::move(opened.accepted_losses)),
      lock_(std::move(opened.lock)),
      database_(std::move(opened.database)),
      head_file_(std::move(opened.head_file)),
      firsts_(opened.recovered.firsts.size()),
      record_(std::move(opened.record)) {
  for (size_t p = 0; p < firsts_.size(); ++p) firsts_[p] = opened.recovered.firsts[p];
  Committer::Options committer;
  committer.clock = options.clock;
  committer.max_queue = options.max_queue;
  committer.on_failure = options.on_failure;
  committer.heads = std::move(opened.recovered.heads);
  committer_ = std::make_unique<Committer>(std::move(committer), *this);
  head_thread_ = std::thread([this] { SyncHeadEverySecond(); });
}

RocksStore::Impl::~Impl() { Close(); }

RocksStore::Impl::Use::~Use() {
  if (impl_.users_.fetch_sub(1) == 1) impl_.users_.notify_all();
}

absl::StatusOr<bool> RocksStore::Impl::Holds(Partition partition, const Precondition& precondition) {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      database_->db().Get(VerifiedReads(), database_->table(precondition.table),
                          DiskRowKey(partition, precondition.table, precondition.key), &value);
  if (status.IsNotFound()) return !precondition.expected.has_value();
  if (!status.ok()) return FromRocks(status, "cannot read a row");
  return precondition.expected.has_value() && value == rocksdb::Slice(*precondition.expected);
}

absl::Status RocksStore::Impl::Apply(const std::vector<Prepared>& group) {
  rocksdb::WriteBatch batch;
  std::string key;
  for (const Prepared& commit : group) {
    for (const Write& write : commit.change.writes) {
      key.clear();
      AppendDiskRowKey(commit.partition, write.table, write.key, &key);
      rocksdb::ColumnFamilyHandle* const table = database_->table(write.table);
      const rocksdb::Status status = write.value ? batch.Put(table, key, *write.value) : batch.Delete(table, key);
      if (!status.ok()) return FromRocks(status, "cannot prepare a write");
    }
    const rocksdb::Status status = batch.Put(database_->feed(), FeedKey(commit.partition, commit.stamp.sequence),
                                             EncodeFeedRow(commit.stamp, commit.change.event, commit.chain));
    if (!status.ok()) return FromRocks(status, "cannot prepare a write");
  }
  if (absl::Status s = database_->Write(batch); !s.ok()) return s;
  return WriteHead(group);
}

absl::Status RocksStore::Impl::WriteAside(rocksdb::WriteBatch& batch) {
  absl::Status status = database_->Write(batch);
  if (status.ok()) status = WriteHead({});
  if (!status.ok()) committer_->Fail(status);
  return status;
}

absl::Status RocksStore::Impl::WriteHead(const std::vector<Prepared>& group) {
  std::vector<Partition> moved;
  moved.reserve(group.size());
  for (const Prepared& commit : group) moved.push_back(commit.partition);
  std::sort(moved.begin(), moved.end());
  moved.erase(std::unique(moved.begin(), moved.end()), moved.end());
  base::MutexLock lock(head_mutex_);
  for (const Prepared& commit : group) record_.heads[commit.partition.number] = Head{commit.stamp, commit.chain};
  ++record_.generation;
  record_.position = database_->Position();
  return head_file_->Write(record_, moved);
}

absl::Status RocksStore::Impl::SyncHead() {
  base::MutexLock lock(head_mutex_);
  if (trusted_ != nullptr) {
    record_.clock = trusted_->Tick();
    ++record_.generation;
  }
  return head_file_->Sync(record_);
}

absl::Status RocksStore::Impl::SaveClock() {
  const Use use(*this);
  if (absl::Status s = use.Check(); !s.ok()) return s;
  absl::Status status = SyncHead();
  if (!status.ok()) committer_->Fail(status);
  return status;
}

void RocksStore::Impl::SyncHeadEverySecond() {
  constexpr std::chrono::seconds kInterval(1);
  while (true) {
    {
      base::MutexLock lock(head_mutex_);
      if (!stopping_) stop_.WaitFor(head_mutex_, kInterval);
      if (stopping_) return;
    }
    if (absl::Status status = SyncHead(); !status.ok()) committer_->Fail(status);
  }
}

void RocksStore::Impl::Close() {
  base::MutexLock lock(close_mutex_);
  if (closed_) return;
  closed_ = true;
  committer_->Close();
  {
    base::MutexLock head_lock(head_mutex_);
    stopping_ = true;
    stop_.NotifyAll();
  }
  head_thread_.join();
  stop_scrub_ = true;
  // New reads are refused by now; those under way finish.
  for (int64_t users = users_.load(); users != 0; users = users_.load()) users_.wait(users);
  if (absl::Status status = SyncHead(); !status.ok()) committer_->Fail(status);
  database_.reset();
  head_file_.reset();
  lock_.reset();
}

EngineHealth RocksStore::Impl::Health() const {
  EngineHealth health;
  const Use use(*this);
  if (!use.Check().ok()) return health;
  const auto sum = [this](const std::string& property) {
    uint64_t total = 0;
    for (rocksdb::ColumnFamilyHandle* family : database_->all()) {
      uint64_t value = 0;
      if (database_->db().GetIntProperty(family, property, &value)) total += value;
    }
    return total;
  };
  const auto whole = [this](const std::string& property) {
    uint64_t value = 0;
    database_->db().GetIntProperty(property, &value);
    return value;
  };
  using Properties = rocksdb::DB::Properties;
  health.estimated_keys = sum(Properties::kEstimateNumKeys);
  health.sst_bytes = sum(Properties::kTotalSstFilesSize);
  health.memtable_bytes = sum(Properties::kSizeAllMemTables);
  health.pending_compaction_bytes = sum(Properties::kEstimatePendingCompactionBytes);
  health.background_errors = whole(Properties::kBackgroundErrors);
  health.writes_stopped = whole(Properties::kIsWriteStopped) != 0;
  health.delayed_write_rate = whole(Properties::kActualDelayedWriteRate);
  health.delays = database_->stalls().delays();
  health.stops = database_->stalls().stops();
  rocksdb::VectorLogPtr logs;
  if (database_->db().GetSortedWalFiles(logs).ok()) {
    for (const auto& log : logs) health.wal_bytes += log->SizeFileBytes();
  }
  return health;
}

}  // namespace consent::store
