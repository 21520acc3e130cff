// How far the decision log has come: what its files are compared with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// Records that were synced, and the hash of the last one's line. A default-constructed one: none.
struct DecisionLogRow {
  uint64_t count = 0;
  base::Digest hash{};
  bool operator==(const DecisionLogRow&) const = default;
};

// In partition 0, under this key.
inline constexpr store::Partition kDecisionLogPartition{0};
inline constexpr std::string_view kDecisionLogKey = "decisions";

std::string EncodeDecisionLogRow(const DecisionLogRow& row);
// False on anything that EncodeDecisionLogRow does not write. Total.
bool DecodeDecisionLogRow(std::string_view bytes, DecisionLogRow* row);

// What the store knows; a default-constructed row where it has none. STORE_UNREADABLE; INTERNAL: damaged. May block.
absl::StatusOr<DecisionLogRow> ReadDecisionLogRow(const store::Store& store);

}  // namespace consent::service
