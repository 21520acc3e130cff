// How each data system sees to it that what has expired goes, and its last sweep, as the store's rows say.
#pragma once

#include <map>
#include <string_view>

#include "absl/status/status.h"
#include "daemon/base/mutex.h"
#include "daemon/service/rows/sweep_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Thread-safe. At most kMaxSystems rows.
class KnownSweeps {
 public:
  // False: a row is damaged.
  bool Follow(const store::Committed& committed) EXCLUDES(mutex_);
  // Reads the store, once, before anything is committed. May block. STORE_UNREADABLE, INTERNAL.
  absl::Status Fill(const Core& core) EXCLUDES(mutex_);

  // A default one where there is none.
  SweepRow Of(domain::SystemNumber system) const EXCLUDES(mutex_);

 private:
  bool Take(std::string_view key, std::string_view value) EXCLUDES(mutex_);

  mutable base::Mutex mutex_;
  std::map<domain::SystemNumber, SweepRow> rows_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
