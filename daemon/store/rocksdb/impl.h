// The running store: database, head file, committer and the thread that syncs the head file. Internal to this folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/store/committer.h"
#include "daemon/store/rocksdb/open.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "daemon/store/rocksdb/scrub.h"

namespace consent::store {

class RocksStore::Impl final : public CommitEngine {
 public:
  Impl(const Options& options, Opened opened);
  ~Impl() override;

  // CommitEngine.
  absl::StatusOr<bool> Holds(Partition partition, const Precondition& precondition) override;
  absl::Status Apply(const std::vector<Prepared>& group) override;

  absl::StatusOr<std::string> Get(Partition partition, Table table, std::string_view key) const;
  absl::Status Scan(Partition partition, Table table, std::string_view from, std::string_view to, size_t limit,
                    const Visitor& visit) const;
  absl::StatusOr<std::vector<FeedRow>> Feed(Partition partition, Sequence from, size_t limit) const;
  absl::StatusOr<FeedRow> FeedAt(Partition partition, Sequence sequence) const;
  absl::Status TruncateFeed(Partition partition, Sequence before) EXCLUDES(maintenance_mutex_);
  absl::Status EraseFeed(Partition partition, const std::vector<Sequence>& sequences) EXCLUDES(maintenance_mutex_);
  absl::Status SaveClock() EXCLUDES(head_mutex_);
  absl::Status Erase(Partition partition, const std::vector<RowKey>& rows);
  absl::Status EraseFromFiles(const EraseTargetsByPartition& targets) EXCLUDES(scrub_mutex_);
  absl::StatusOr<std::unique_ptr<StagedCopy>> Stage() EXCLUDES(scrub_mutex_);
  EngineHealth Health() const;
  void Close() EXCLUDES(close_mutex_);

  const StoreIdentity& store() const { return store_; }
  Committer& committer() { return *committer_; }
  const std::vector<std::string>& accepted_losses() const { return accepted_losses_; }

 private:
  // Keeps the database open while it lives; check ok() first.
  class Use {
   public:
    explicit Use(const Impl& impl) : impl_(impl) { impl_.users_.fetch_add(1); }
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    absl::Status Check() const { return impl_.committer_->Check(); }

   private:
    const Impl& impl_;
  };

  // A durable write outside the order of commits; an error fails the store.
  absl::Status WriteAside(rocksdb::WriteBatch& batch) EXCLUDES(head_mutex_);
  absl::Status WriteHead(const std::vector<Prepared>& group) EXCLUDES(head_mutex_);
  // Makes the newest heads durable, and what the clock has come to for the next process. Commits wait for it, once a
  // second, because the slot that is being synced must not be overwritten, and the other one not before.
  absl::Status SyncHead() EXCLUDES(head_mutex_);
  absl::Status Rewrite(Scrubber& scrubber, const EraseTargetsByPartition& targets);
  absl::Status RewriteTruncated(Scrubber& scrubber, Partition partition, std::vector<Sequence> truncated);
  void SyncHeadEverySecond() EXCLUDES(head_mutex_);

  const base::Clock* const clock_;
  base::TrustedClock* const trusted_;  // or nullptr
  const StoreIdentity store_;
  const std::string db_path_;
  const std::vector<std::string> accepted_losses_;
  std::unique_ptr<ProcessLock> lock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<HeadFile> head_file_;
  std::vector<std::atomic<Sequence>> firsts_;  // oldest row of each feed

  mutable std::atomic<int64_t> users_ = 0;

  base::Mutex maintenance_mutex_;  // one read-then-write outside the order of commits at a time

  base::Mutex scrub_mutex_;               // one EraseFromFiles at a time
  std::atomic<bool> stop_scrub_ = false;  // set by Close
  // A staged copy links files, and so keeps the bytes that a scrub takes out of them.
  const std::shared_ptr<std::atomic<bool>> is_staged_ = std::make_shared<std::atomic<bool>>(false);

  base::Mutex head_mutex_;
  HeadRecord record_ GUARDED_BY(head_mutex_);
  bool stopping_ GUARDED_BY(head_mutex_) = false;
  base::CondVar stop_;

  base::Mutex close_mutex_;
  bool closed_ GUARDED_BY(close_mutex_) = false;

  std::unique_ptr<Committer> committer_;
  std::thread head_thread_;
};

}  // namespace consent::store
