// Which proposals wait for somebody, as the store's rows say: for metrics.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string_view>

#include "absl/status/status.h"
#include "daemon/base/mutex.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Thread-safe. At most kMaxOpenProposals entries, and those that have expired since.
class KnownProposals {
 public:
  // By act, its number as the index; kNone has none.
  using Counts = std::array<size_t, static_cast<size_t>(ProposedAct::kActivatePolicy) + 1>;

  // False: a row is damaged.
  bool Follow(const store::Committed& committed) EXCLUDES(mutex_);
  // Reads the store, once, before anything is committed. May block. STORE_UNREADABLE, INTERNAL.
  absl::Status Fill(const Core& core) EXCLUDES(mutex_);

  // Open at `now`, or approved and not yet carried out.
  Counts OpenAt(base::Instant now) const EXCLUDES(mutex_);

 private:
  void Take(const ProposalRow& row) EXCLUDES(mutex_);

  mutable base::Mutex mutex_;
  std::map<base::ProposalId, ProposalRow> open_ GUARDED_BY(mutex_);  // without what is sealed
};

}  // namespace consent::service
