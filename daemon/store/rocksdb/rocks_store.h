// The embedded store: RocksDB, one process, one folder. No RocksDB type crosses this header.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/base/trusted_clock.h"
#include "daemon/store/committer.h"
#include "daemon/store/limits.h"
#include "daemon/store/rocksdb/staged_copy.h"
#include "daemon/store/store.h"

namespace consent::store {

// For metrics. Bytes and counts as the engine estimates them.
struct EngineHealth {
  uint64_t estimated_keys = 0;
  uint64_t sst_bytes = 0;
  uint64_t memtable_bytes = 0;
  uint64_t wal_bytes = 0;
  uint64_t pending_compaction_bytes = 0;
  uint64_t background_errors = 0;
  bool writes_stopped = false;      // commits wait for compaction
  uint64_t delayed_write_rate = 0;  // bytes per second that the engine throttles writes to; 0: not throttled
  // Since the store was opened: how often the engine began to throttle writes of a family, and to stop them.
  uint64_t delays = 0;
  uint64_t stops = 0;
};

// Thread-safe. Acknowledged means synced to disk. One committer thread groups the concurrent commits of all partitions
// into one write and one sync. Beside the database's folder it keeps `head_path` (how far it had come) and a lock file
// `<db_path>.lock`; an unfinished creation leaves `<db_path>.creating`, which the next start removes where it holds
// nothing else.
class RocksStore final : public Store {
 public:
  struct Options {
    std::string db_path;    // a folder; created if it does not exist
    std::string head_path;  // a file outside db_path, best on another disk; created with the store
    // Fixed at creation, another number is refused afterwards. Fewer only in tests: a store of another number cannot be
    // copied to another engine with its sequences.
    uint16_t partitions = kMaxPartitions;
    const base::Clock* clock = nullptr;  // outlives the store
    // What it knows is kept in the head file, and resumed from there by Open. Outlives the store; as a rule `clock` is
    // the same. nullptr: none.
    base::TrustedClock* trusted = nullptr;
    base::Random* random = nullptr;  // used by Open only
    base::Bytes16
        key_fingerprint{};  // base::Keys::Fingerprint(); stored at creation, another one is refused afterwards
    OnFailure on_failure;   // may be empty
    // Called once where a new store is made, before its database is: saves what the database cannot be read without.
    // May be empty.
    std::function<absl::Status()> before_creation;
    size_t max_queue = kMaxQueuedCommits;
    bool accept_loss = false;  // go on although changes are missing; what is missing is told by accepted_losses()
    size_t block_cache_bytes = 64 << 20;
    size_t write_buffer_bytes = 64 << 20;
    int max_open_files = -1;  // tables kept open at a time; -1: all
  };

  // What lies at the options' places.
  enum class Found {
    kNothing = 0,  // neither database nor head file
    kBegun = 1,    // a head file of a store without changes: its creation was interrupted, or nothing was ever written
    kHeadAlone = 2,  // a head file that knows of changes, or is damaged, and no database
    kStore = 3,      // a database
  };
  // Makes and changes nothing. FailedPrecondition: in use, or one of the places is taken by something else or not ours
  // alone, or a store would have to be made where a disk is mounted; else the file system's errors.
  static absl::StatusOr<Found> Look(const Options& options);
  // Creates the store, or recovers it and checks that nothing acknowledged is missing.
  // FailedPrecondition: wrong keys or partition count, used by another process, or changes are missing (an old copy, a
  // head file that is missing or of another store); DataLoss: damage. Both texts say what to do. InvalidArgument: the
  // options; Unavailable: the file system's errors, of them those that may heal by themselves ResourceExhausted
  // (base/file.h).
  static absl::StatusOr<std::unique_ptr<RocksStore>> Open(const Options& options);
  // Closes.
  ~RocksStore() override;

  base::Bytes16 store_id() const override;
  uint16_t partition_count() const override;
  void Commit(Partition partition, std::vector<Precondition> preconditions, Build build, Done done) override;
  void Subscribe(Subscriber& subscriber) override;
  void Unsubscribe(Subscriber& subscriber) override;
  void SetGate(Gate* gate) override;
  absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key) const override;
  // Holds an iterator while it runs: keep pieces to some seconds. The visitor may call the store, but not Close.
  absl::Status Scan(Partition partition, Table table, std::string_view from, std::string_view to, size_t limit,
                    const Visitor& visit) const override;
  absl::StatusOr<std::vector<FeedRow>> Feed(Partition partition, Sequence from, size_t limit) const override;
  absl::StatusOr<FeedRow> FeedAt(Partition partition, Sequence sequence) const override;
  absl::Status TruncateFeed(Partition partition, Sequence before) override;
  absl::Status EraseFeed(Partition partition, const std::vector<Sequence>& sequences) override;
  absl::Status Erase(Partition partition, const std::vector<RowKey>& rows) override;
  // Close ends it early. Unavailable also while a copy is staged. What it waits for, and for how long, is in
  // ../README.md, "Physical erasure".
  absl::Status EraseFromFiles(const EraseTargetsByPartition& targets) override;
  absl::Status SaveClock() override;
  Head GetHead(Partition partition) const override;
  std::optional<ReadVersion> GetReadVersion(Partition partition) const override;
  // Waits for reads that are under way.
  void Close() override;

  // Stages a copy of the store in `<db_path>.staged`: everything that was acknowledged before the call is in its table
  // files, some of what came since is in its log. Blocks for the flush, and before it for a scrub that is under way.
  // Until the copy is destroyed, which is before the store is closed, EraseFromFiles is refused. FailedPrecondition:
  // there is one; Unavailable: it cannot be made, or the store has failed. A start removes what a killed process left.
  absl::StatusOr<std::unique_ptr<StagedCopy>> Stage();

  // All zero once closed.
  EngineHealth Health() const;
  CommitTimings Timings() const;
  // One text per loss that Open accepted; empty as a rule. To be logged.
  const std::vector<std::string>& accepted_losses() const;

 private:
  class Impl;
  explicit RocksStore(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace consent::store
