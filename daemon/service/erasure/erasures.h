// What deletions, closed accounts and released holds leave behind in the store's own files. It goes in two steps, each
// in batches. First the shares of payload keys leave the files: what was sealed under them is unreadable, and only then
// is a request COMPLETED. Then all other bytes leave them that were deleted or overwritten.
// What waits for a step is a row of its own, written by the commit that made it necessary: so a crash forgets nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// What waits for the two steps.
struct ErasureLag {
  uint64_t keys = 0;
  uint64_t bytes = 0;
  base::Instant oldest_key;  // since when; unset: none waits
  base::Instant oldest_byte;
};

// Thread-safe, but one caller at a time for each step. Both block, and read and rewrite files.
class Erasures {
 public:
  explicit Erasures(Core& core) : core_(core) {}

  // The keys' step of all that waits: erases closed accounts, scrubs the keys, completes the requests. How many were
  // completed.
  absl::StatusOr<size_t> EraseKeys();
  // A piece of the bytes' step, of at most kMaxEraseTargets rows, of what has waited since before
  // `before`. How many rows were scrubbed; 0: nothing of it waits any more.
  absl::StatusOr<size_t> EraseBytes(base::Instant before);
  // Reads the waiting rows of the partitions where they have changed since it was asked last. STORE_UNREADABLE.
  absl::StatusOr<ErasureLag> Lag() const EXCLUDES(lag_mutex_);

 private:
  struct Finished;
  struct Listed;
  // Adds the partition's requests that wait for the keys' step, closed accounts among them erased by then.
  absl::Status FindFinished(store::Partition partition, std::vector<Finished>* finished,
                            store::EraseTargetsByPartition* keys);
  // Adds what the partition lists, as far as there is room.
  absl::Status FindListed(store::Partition partition, base::Instant before, Listed* listed) const;
  // Rows that list what has left the files now: hashes stand in them, too. They are emptied before they are deleted, so
  // that a crash between leaves a row that is erased the next time.
  absl::Status EraseLists(const Listed& listed);
  absl::Status Complete(const std::vector<Finished>& finished);
  // In one commit: any number of requests that are no closures, or one closure.
  absl::Status CompleteInOne(const std::vector<const Finished*>& finished);
  // False: it must wait, because some of the account is on hold.
  absl::StatusOr<bool> EraseAccount(const Finished& finished);
  // Requests of the account that nobody has verified yet: with it gone there is nothing left to decide.
  absl::Status EndUndecided(const Finished& finished);
  absl::Status EndUndecided(DeletionPlace place);
  // Adds the changes of retention since the closure, of which the record does not tell.
  absl::Status ListAccount(const Finished& finished, const domain::SubjectFacts& facts,
                           std::vector<domain::SaidSince>* said_since);
  // The record shrinks to the suppression record, but for what IsForgotten says; key and names go.
  absl::StatusOr<store::Outcome> Suppress(const Finished& finished, const StoredFacts& stored,
                                          const std::vector<domain::SaidSince>& said_since);
  absl::Status EraseListed(const Finished& finished);

  // Reads what waits in a partition into lag_.
  absl::Status ReadLag(store::Partition partition) const REQUIRES(lag_mutex_);

  Core& core_;
  mutable base::Mutex lag_mutex_;
  mutable std::map<store::Partition, ErasureLag> lag_ GUARDED_BY(lag_mutex_);  // of those where something waits
};

}  // namespace consent::service
