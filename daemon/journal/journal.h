// The restriction journal of a running daemon: what was acknowledged stands on a second disk, too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/journal/folder.h"
#include "daemon/journal/ids.h"
#include "daemon/store/store.h"

namespace consent::journal {

// For metrics.
struct JournalCounts {
  bool is_behind = false;  // commits are acknowledged that the journal does not have
  uint64_t behind = 0;     // such commits; 0 unless it is behind
  uint64_t behind_partitions = 0;
  uint64_t bytes = 0;        // of all files
  uint64_t entries = 0;      // appended since the start
  uint64_t failures = 0;     // writes, syncs or reads that failed since the start
  uint64_t lacking_ids = 0;  // see Ids::failures
  base::Instant synced;      // when an entry was last made durable; unset: none since the start
};

// Thread-safe. Set as the store's gate, it has each group of commits durable before they are acknowledged. Where its
// disk fails, commits are acknowledged all the same, and their partitions are behind until CatchUp has filled what is
// missing from the store: no entry is ever left out, and none of a partition that is behind is written before.
class Journal final : public store::Gate {
 public:
  // Called when it falls behind, with the reason, and when it has caught up (OK), the first time included. On any
  // thread, with locks held: must not call the journal.
  using Tell = std::function<void(const absl::Status& behind)>;

  // Opens the folder and looks whether it goes with the store: it must not be ahead of it, and have the same chains. A
  // folder without a journal gets one that begins at the store's present heads.
  // FailedPrecondition: ahead, or of another history, or what it lacks is no longer in the feed; as Folder::Open.
  // `core` and `ids` outlive it.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const service::Core& core, const Ids& ids,
                                                       Folder::Options options, Tell tell);

  bool is_new() const { return is_new_; }
  // Bytes of a write that was cut off, which Open took away.
  uint64_t cut_bytes() const { return cut_bytes_; }

  void BeforeAnswers(const std::vector<store::Committed>& group) override EXCLUDES(mutex_);
  // Fills what is missing, partition by partition: a snapshot of its rows, and the bare entries of what the feed has.
  // Commits go on meanwhile, and wait while one partition is filled. OK: nothing is missing, and from here on nothing
  // is acknowledged without the journal. Otherwise some partitions stay behind, and it may be called again. One at a
  // time.
  absl::Status CatchUp() EXCLUDES(mutex_);
  bool is_behind() const { return partitions_behind_.load() != 0; }
  // Begins another file and removes those of which all is in a verified backup, whose heads these are.
  absl::StatusOr<size_t> PruneUpTo(const std::vector<store::Head>& heads) EXCLUDES(mutex_);
  JournalCounts counts() const;

 private:
  Journal(const service::Core& core, const Ids& ids, std::unique_ptr<Folder> folder, Tell tell);
  absl::Status CheckAgainstStore() EXCLUDES(mutex_);
  // What of the group the journal has room for: commits that go on where their partitions stand. The others' partitions
  // are behind.
  std::vector<Entry> EntriesOf(const std::vector<store::Committed>& group) REQUIRES(mutex_);
  absl::Status CatchUpPartition(store::Partition partition) REQUIRES(mutex_);
  absl::Status Append(const std::vector<Entry>& entries) REQUIRES(mutex_);
  void SetBehind(store::Partition partition, bool is_behind);
  uint64_t BehindBy(store::Partition partition) const;

  const service::Core& core_;
  const Ids& ids_;
  const Tell tell_;
  bool is_new_ = false;
  uint64_t cut_bytes_ = 0;
  base::Mutex mutex_;  // held while a group is written, or a partition filled in
  std::unique_ptr<Folder> folder_ PT_GUARDED_BY(mutex_);
  // The disk failed: no group tries it again before CatchUp has written something.
  bool is_stopped_ GUARDED_BY(mutex_) = false;
  // Written with the mutex held.
  std::vector<std::atomic<store::Sequence>> journaled_;
  std::vector<std::atomic<bool>> behind_;
  std::atomic<uint64_t> partitions_behind_{0};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> entries_{0};
  std::atomic<uint64_t> failures_{0};
  std::atomic<int64_t> synced_{0};
};

}  // namespace consent::journal
