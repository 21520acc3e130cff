// The rows by which deletion requests and holds are found by their ids. Layouts: store/FORMAT.md. Thread-safe.
#pragma once

#include "absl/status/statusor.h"
#include "daemon/base/random_id.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/deletion_place.h"
#include "daemon/store/store.h"

namespace consent::service {

store::RowKey IdRow(const base::DeletionId& id);
store::RowKey IdRow(const base::HoldId& id);
// In the commit that writes the row itself.
store::Write PutId(const base::DeletionId& id, DeletionNumber number);
store::Write PutId(const base::HoldId& id, store::Sequence sequence);
// Nothing has the id.
template <typename IdT>
store::Precondition IdIsFree(const IdT& id) {
  store::RowKey row = IdRow(id);
  return {row.table, std::move(row.key), std::nullopt};
}

// DELETION_NOT_FOUND or HOLD_NOT_FOUND, STORE_UNREADABLE, INTERNAL. These read, and may block.
absl::StatusOr<DeletionPlace> FindDeletion(const Core& core, const base::DeletionId& id);
absl::StatusOr<HoldPlace> FindHold(const Core& core, const base::HoldId& id);

}  // namespace consent::service
