// The rows of the keys under which the decision log has its handles: one for each month. Layouts: store/FORMAT.md.
// Pure, but for what says that it reads; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/base/month.h"
#include "daemon/base/time.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

inline constexpr store::Partition kMonthKeyPartition{0};
// Those that are gone included: 166 years of months.
inline constexpr size_t kMaxMonthKeys = 2'000;

// That there is, or was, a key of a name. It stays when the key is gone: so a line under a key that was destroyed is
// told from one that somebody made up.
struct MonthKeyRow {
  base::Instant made_at;
  base::Instant gone_at;  // destroyed, or lost with a store that was restored; unset: its share is there
  bool IsThere() const { return !gone_at.IsSet(); }
  bool operator==(const MonthKeyRow&) const = default;
};

std::string EncodeMonthKeyRow(const MonthKeyRow& row);
// False on anything that EncodeMonthKeyRow does not write. Total.
bool DecodeMonthKeyRow(std::string_view bytes, MonthKeyRow* row);

// Keys within kDecisionLog: of the row, and of the row that every new key changes, so that two services make one key
// for a month: sequence (8) of the latest.
std::string MonthKeyRowKey(const base::MonthKeyName& name);
// False on any other key of the table.
bool ReadMonthKeyRowKey(std::string_view key, base::MonthKeyName* name);
inline constexpr std::string_view kMonthKeysVersionKey = "month-keys";

// Within kKeyShare: the name itself.
std::string MonthKeyShareKey(const base::MonthKeyName& name);
// In whose place the name stands where its key is wrapped, as a subject's handle does.
base::SubjectHandle WrapHandleOf(const base::MonthKeyName& name);

struct KnownMonthKey {
  base::MonthKeyName name;
  MonthKeyRow row;
};
// All, by name. May block. STORE_UNREADABLE; INTERNAL: one is damaged.
absl::StatusOr<std::vector<KnownMonthKey>> LoadMonthKeys(const store::Store& store);

}  // namespace consent::service
