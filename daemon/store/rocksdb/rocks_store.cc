#include "daemon/store/rocksdb/rocks_store.h"

#include <utility>

#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/impl.h"

namespace consent::store {

absl::StatusOr<RocksStore::Found> RocksStore::Look(const Options& options) { return LookAt(options); }

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::Open(const Options& options) {
  absl::StatusOr<Opened> opened = OpenChecked(options);
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<RocksStore>(new RocksStore(std::make_unique<Impl>(options, *std::move(opened))));
}

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksStore::~RocksStore() = default;

base::Bytes16 RocksStore::store_id() const { return impl_->store().store_id; }
uint16_t RocksStore::partition_count() const { return impl_->store().partitions; }

void RocksStore::Commit(Partition partition, std::vector<Precondition> preconditions, Build build, Done done) {
  if (!CheckPlace(partition, partition_count()).ok()) {
    done(CommitResult{Outcome::kClosed, {}});
    return;
  }
  impl_->committer().Commit(partition, std::move(preconditions), std::move(build), std::move(done));
}

void RocksStore::Subscribe(Subscriber& subscriber) { impl_->committer().subscribers().Add(subscriber); }
void RocksStore::Unsubscribe(Subscriber& subscriber) { impl_->committer().subscribers().Remove(subscriber); }
void RocksStore::SetGate(Gate* gate) { impl_->committer().SetGate(gate); }

absl::StatusOr<std::string> RocksStore::Get(Partition partition, Table table, std::string_view key) const {
  return impl_->Get(partition, table, key);
}

absl::Status RocksStore::Scan(Partition partition, Table table, std::string_view from, std::string_view to,
                              size_t limit, const Visitor& visit) const {
  return impl_->Scan(partition, table, from, to, limit, visit);
}

absl::StatusOr<std::vector<FeedRow>> RocksStore::Feed(Partition partition, Sequence from, size_t limit) const {
  return impl_->Feed(partition, from, limit);
}

absl::StatusOr<FeedRow> RocksStore::FeedAt(Partition partition, Sequence sequence) const {
  return impl_->FeedAt(partition, sequence);
}

absl::Status RocksStore::TruncateFeed(Partition partition, Sequence before) {
  return impl_->TruncateFeed(partition, before);
}

absl::Status RocksStore::EraseFeed(Partition partition, const std::vector<Sequence>& sequences) {
  return impl_->EraseFeed(partition, sequences);
}

absl::Status RocksStore::Erase(Partition partition, const std::vector<RowKey>& rows) {
  return impl_->Erase(partition, rows);
}

absl::Status RocksStore::EraseFromFiles(const EraseTargetsByPartition& targets) {
  return impl_->EraseFromFiles(targets);
}

absl::Status RocksStore::SaveClock() { return impl_->SaveClock(); }

Head RocksStore::GetHead(Partition partition) const {
  if (!CheckPlace(partition, partition_count()).ok()) return Head{};
  return impl_->committer().GetHead(partition);
}

std::optional<ReadVersion> RocksStore::GetReadVersion(Partition partition) const {
  if (!CheckPlace(partition, partition_count()).ok()) return std::nullopt;
  return impl_->committer().GetReadVersion();
}

absl::StatusOr<std::unique_ptr<StagedCopy>> RocksStore::Stage() { return impl_->Stage(); }
void RocksStore::Close() { impl_->Close(); }
EngineHealth RocksStore::Health() const { return impl_->Health(); }
CommitTimings RocksStore::Timings() const { return impl_->committer().timings(); }
const std::vector<std::string>& RocksStore::accepted_losses() const { return impl_->accepted_losses(); }

}  // namespace consent::store
