// A store in memory, for tests, simulations and trying things out: everything is gone with the process.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/store/frozen_store.h"
#include "daemon/store/limits.h"
#include "daemon/store/store.h"

namespace consent::store {

// Thread-safe; keeps the whole contract but durability. One committer thread per partition. Links neither gRPC nor
// RocksDB.
class MemoryStore final : public Store {
 public:
  struct Options {
    uint16_t partitions = 1;  // 1 .. 1024
    base::Bytes16 store_id{};
    const base::Clock* clock = nullptr;    // outlives the store
    size_t max_queue = kMaxQueuedCommits;  // per partition
    const FrozenStore* copy_of = nullptr;  // whose rows and whole feed it begins with; its partitions are as many
  };

  explicit MemoryStore(Options options);
  ~MemoryStore() override;

  base::Bytes16 store_id() const override { return store_id_; }
  uint16_t partition_count() const override { return static_cast<uint16_t>(partitions_.size()); }
  void Commit(Partition partition, std::vector<Precondition> preconditions, Build build, Done done) override;
  void Subscribe(Subscriber& subscriber) override;
  void Unsubscribe(Subscriber& subscriber) override;
  void SetGate(Gate* gate) override;
  absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key) const override;
  // The visitor runs without a lock held and may call the store.
  absl::Status Scan(Partition partition, Table table, std::string_view from, std::string_view to, size_t limit,
                    const Visitor& visit) const override;
  absl::StatusOr<std::vector<FeedRow>> Feed(Partition partition, Sequence from, size_t limit) const override;
  absl::StatusOr<FeedRow> FeedAt(Partition partition, Sequence sequence) const override;
  absl::Status TruncateFeed(Partition partition, Sequence before) override;
  absl::Status EraseFeed(Partition partition, const std::vector<Sequence>& sequences) override;
  absl::Status Erase(Partition partition, const std::vector<RowKey>& rows) override;
  // There are no files, so nothing is in them.
  absl::Status EraseFromFiles(const EraseTargetsByPartition& targets) override;
  // As a bad disk would: beside the commits, told to nobody.
  void Damage(Partition partition, const RowKey& row, std::string value);
  Head GetHead(Partition partition) const override;
  std::optional<ReadVersion> GetReadVersion(Partition partition) const override;
  void Close() override;

 private:
  class Part;
  absl::Status Usable(Partition partition) const;

  const base::Bytes16 store_id_;
  std::vector<std::unique_ptr<Part>> partitions_;
};

}  // namespace consent::store
