// Puts every share of a payload key under the newest master key, while the daemon serves, and sees to it that the files
// keep none of the shares that were.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Goes on where a process before was ended: what lies under the newest key is passed over, and the row of the master
// keys says that it is done only once no share lies under an older one and the files hold none that did. One thread.
class RewrapShares {
 public:
  // Of one piece, whose commits share a sync where they can.
  static constexpr size_t kSharesAtOnce = 512;
  static constexpr size_t kPartitionsAtOnce = 128;

  explicit RewrapShares(Core& core) : core_(core) {}

  struct Piece {
    bool is_idle = false;   // nobody has asked for it, or all is done
    bool finished = false;  // with this piece
    uint16_t master = 0;    // under which key they are put, or the newest of all
    size_t rewrapped = 0;
  };
  // The next shares, of at most kPartitionsAtOnce partitions and about kSharesAtOnce; or, once all are done, the files.
  // Blocks: for milliseconds, and on the files for seconds to minutes. STORE_UNREADABLE, INTERNAL (a row is damaged; a
  // share belongs to nobody), Unavailable of EraseFromFiles, those of a commit.
  absl::StatusOr<Piece> Next();

  // Shares under an older key than is wanted, as far as they were counted. Any thread.
  uint64_t left() const { return left_; }

 private:
  // Whose share it may be, and where that would lie.
  struct Owner {
    base::SubjectHandle subject;
    std::string share_key;
  };
  // What is to be written of one partition.
  struct Batch {
    store::Partition partition;
    std::vector<Owner> owners;
    std::vector<store::Precondition> as_they_were;
    std::vector<store::Write> writes;
  };
  struct Place {
    store::Partition partition;
    size_t table = 0;
    std::string from;
  };
  absl::Status BeginPass(uint16_t master);
  // The next rows at the place, which moves on behind them: those of whom some share is to be rewrapped.
  absl::StatusOr<std::vector<Batch>> NextBatches();
  absl::StatusOr<std::vector<Owner>> NextOwners();
  absl::Status AddOwner(std::string_view key, std::string_view value, std::vector<Owner>* owners) const;
  void NextTable();
  absl::StatusOr<bool> HasOlder(store::Partition partition) const;
  // Reads the shares, and wraps those that lie under an older key.
  absl::Status Prepare(Batch* batch) const;
  absl::Status Commit(std::vector<Batch> batches) const;
  absl::StatusOr<Piece> EndPass(const MasterKeyRow& row);
  absl::Status EraseFormerShares();

  Core& core_;
  std::atomic<uint64_t> left_{0};
  // Of the pass that is under way.
  uint16_t master_ = 0;  // 0: none is
  Place place_;
  uint64_t rewrapped_ = 0;
};

}  // namespace consent::service
