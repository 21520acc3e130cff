// Counts review grants against their caps before they are given. Counters lie in other partitions than the grants, so
// no commit has both: grants are reserved in blocks first, durably, and given from memory then. A crash loses what is
// left of a block, and nothing is ever given that was not reserved. Private to this room.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/domain/review_caps.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/rows/cap_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// One of what a cap allows; `ordinal` were given, or are reserved, before it.
struct CapPermit {
  CapName name;
  base::Instant since;  // of the counter's window
  uint64_t ordinal = 0;
};

// Of one service; any number of services may share a store. Thread-safe. Remembers the blocks of at most 4,096 caps;
// beyond that what is left of blocks that nobody uses counts as given.
class CapCounters {
 public:
  explicit CapCounters(Core& core) : core_(core) {}

  // The next one, which is taken where its ordinal is below `limit`, and else is not. Commits where a block is needed.
  // OVERLOADED, NOT_SERVING, CONTENTION, OUTCOME_UNKNOWN (then a block is lost), STORE_UNREADABLE, INTERNAL. Blocks.
  absl::StatusOr<CapPermit> Take(const CapName& name, uint64_t limit, base::Instant now, const Caller& caller)
      EXCLUDES(mutex_);
  // One that was taken and will surely not be used.
  void GiveBack(const CapPermit& permit) EXCLUDES(mutex_);

 private:
  // What is reserved and not given yet.
  struct Block {
    base::Mutex mutex;
    base::Instant since GUARDED_BY(mutex);
    std::set<uint64_t> ordinals GUARDED_BY(mutex);
  };
  static constexpr size_t kMaxBlocks = 4'096;

  std::shared_ptr<Block> BlockOf(const CapName& name) EXCLUDES(mutex_);
  absl::StatusOr<CapPermit> Reserve(const CapName& name, uint64_t limit, base::Instant now, const Caller& caller,
                                    Block& block) REQUIRES(block.mutex);

  Core& core_;
  base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Block>> blocks_ GUARDED_BY(mutex_);
};

// What one grant takes of the caps. Gives all of it back unless the grant was, or may have been, given. Not
// thread-safe.
class GrantPermits {
 public:
  GrantPermits(CapCounters& counters, const Caller& caller) : counters_(counters), caller_(caller) {}
  GrantPermits(const GrantPermits&) = delete;
  GrantPermits& operator=(const GrantPermits&) = delete;
  ~GrantPermits() { GiveBack(); }

  // Takes one of each of `names`, and sets how many of its kind were given before; ends with the first that is spent.
  absl::Status Take(const std::vector<CapName>& names, const domain::ReviewCaps& caps, domain::Region country,
                    base::Instant now, domain::GrantCounts* counts);
  void GiveBack();
  void Keep() { permits_.clear(); }

 private:
  CapCounters& counters_;
  const Caller& caller_;
  std::vector<CapPermit> permits_;
};

}  // namespace consent::service
