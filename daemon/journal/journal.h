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
// disk fails, commits are acknowledged all the same, and the journal is behind until CatchUp has filled what is missing
// from the store: no entry is ever left out.
class Journal final : public store::Gate {
 public:
  // Called when it falls behind, with the reason, and when it has caught up (OK), the first time included. On any
  // thread; must not call the journal.
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

  void BeforeAnswers(const std::vector<store::Committed>& group) override EXCLUDES(mutex_, folder_mutex_);
  // Fills what is missing: of each partition that moved a snapshot and the bare entries of what the feed has. Commits
  // go on meanwhile; the last few wait. OK: nothing is missing, and from here on nothing is acknowledged without it.
  // Otherwise it stays behind, and may be called again. One at a time.
  absl::Status CatchUp() EXCLUDES(mutex_, folder_mutex_);
  bool is_behind() const { return is_behind_.load(); }
  // Begins another file and removes those of which all is in a verified backup, whose heads these are.
  absl::StatusOr<size_t> PruneUpTo(const std::vector<store::Head>& heads) EXCLUDES(folder_mutex_);
  JournalCounts counts() const;

 private:
  Journal(const service::Core& core, const Ids& ids, std::unique_ptr<Folder> folder, Tell tell);
  absl::Status CheckAgainstStore() EXCLUDES(folder_mutex_);
  // Fills partitions until none is behind by more than `most` commits.
  absl::Status CatchUpTo(uint64_t most) EXCLUDES(folder_mutex_);
  absl::Status CatchUpPartition(store::Partition partition) REQUIRES(folder_mutex_);
  absl::Status Append(const std::vector<Entry>& entries) REQUIRES(folder_mutex_);
  uint64_t BehindBy(store::Partition partition) const;

  const service::Core& core_;
  const Ids& ids_;
  const Tell tell_;
  bool is_new_ = false;
  uint64_t cut_bytes_ = 0;
  // Whoever holds both took mutex_ first.
  base::Mutex mutex_;  // held while a group passes, and while the last of what was missing is filled in
  base::Mutex folder_mutex_;
  std::unique_ptr<Folder> folder_ PT_GUARDED_BY(folder_mutex_);
  std::atomic<bool> is_behind_{true};  // until the first CatchUp
  std::vector<std::atomic<store::Sequence>> journaled_;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> entries_{0};
  std::atomic<uint64_t> failures_{0};
  std::atomic<int64_t> synced_{0};
};

}  // namespace consent::journal
