// How many recordings were heard, and how many utterances there were, by month: for metrics and reports. Follows the
// rows.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "daemon/base/month.h"
#include "daemon/base/mutex.h"
#include "daemon/service/rows/population_rows.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// Of one purpose and country in a month.
struct HeardShare {
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Region country;  // unset: not known
  uint64_t heard = 0;
  uint64_t utterances = 0;         // 0: nobody reported any
  uint32_t parts_per_million = 0;  // that the policy allows
};

// Thread-safe. Remembers the months that the store has, a few numbers for each purpose, country and caller.
class KnownReviewRates {
 public:
  // False: a row is damaged.
  bool Follow(const store::Committed& committed) EXCLUDES(mutex_);
  // Reads the store, once, before anything is committed. Blocks. STORE_UNREADABLE, INTERNAL.
  absl::Status Fill(const Core& core) EXCLUDES(mutex_);

  // By purpose and country: of which something was heard, or is a population while the purpose has caps.
  std::vector<HeardShare> Of(base::Month month, const domain::Rules& rules) const EXCLUDES(mutex_);

 private:
  bool Take(std::string_view key, std::string_view value, bool is_new_commit) EXCLUDES(mutex_);
  void Forget(std::string_view key) EXCLUDES(mutex_);

  mutable base::Mutex mutex_;
  std::map<std::tuple<base::Month, domain::Purpose, domain::Region>, uint64_t> heard_ GUARDED_BY(mutex_);
  // What each row of a population says.
  std::map<base::Month, std::map<std::string, std::pair<domain::Region, uint64_t>>> populations_ GUARDED_BY(mutex_);
};

}  // namespace consent::service
