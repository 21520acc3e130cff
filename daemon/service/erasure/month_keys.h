// The keys of the decision log: each month has one of its own, drawn at random, whose share lies in the store under the
// master key as all shares do; and it is destroyed once the log's months are over.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/month.h"
#include "daemon/service/rows/month_key_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {

struct MonthKey {
  base::MonthKeyName name;
  std::optional<base::Bytes16> key;  // nothing: it was destroyed, or lost with a store that was restored
};

// Thread-safe. Everything blocks. Errors of all: STORE_UNREADABLE; INTERNAL: a row or a share is damaged.
class MonthKeys {
 public:
  explicit MonthKeys(Core& core) : core_(core) {}

  // The key under which lines of the month are to be written: the one that is there, else a new one, durable when it is
  // returned; always with its key. Whoever else makes one at the same time has the same. INTERNAL also: there are
  // kMaxMonthKeys. Those of a commit.
  absl::StatusOr<MonthKey> TakeOrMake(base::Month month);
  // All of the month, by name.
  absl::StatusOr<std::vector<MonthKey>> Of(base::Month month) const;
  // Nothing: this store never had a key of that name.
  absl::StatusOr<std::optional<MonthKey>> Find(const base::MonthKeyName& name) const;
  // Destroys the keys of all months before this one: their shares are in no row when it returns, and leave the files as
  // all that is erased does (Erasures::EraseBytes). Which they were. Those of a commit: some may be destroyed already.
  absl::StatusOr<std::vector<base::MonthKeyName>> DestroyBefore(base::Month first_kept);

 private:
  // Of a row that is there.
  absl::StatusOr<MonthKey> Open(const KnownMonthKey& known) const;
  absl::StatusOr<store::Outcome> TryToTake(base::Month month, MonthKey* taken);
  absl::StatusOr<store::Outcome> Make(base::Month month, std::optional<std::string> version, MonthKey* made);
  absl::Status Destroy(const base::MonthKeyName& name);

  Core& core_;
};

}  // namespace consent::service
