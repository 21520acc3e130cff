// What is done to a store's folder while no daemon has it. No RocksDB type crosses this header.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "daemon/store/frozen_store.h"
#include "daemon/store/translation.h"

namespace consent::store {

// Makes of `from` the store `identity` in the folder `to`, where nothing may be, and its head file: all rows, and the
// feed with its chains, as they are or as `translation` says; nullptr: as they are. `from` is left as it is. Killed
// before its end there is nothing at `to`, or what a daemon refuses; what lies at `<to>.copying` the next run removes.
// FailedPrecondition: a place is taken; errors of `translation`.
absl::Status CopyStoreTo(const FrozenStore& from, const StoreIdentity& identity, Translation* translation,
                         const std::string& to, const std::string& head_path);

// Rewrites all table files, so that what was overwritten or deleted takes no room. FailedPrecondition: a daemon has it,
// or it is of another format; DataLoss: damaged.
absl::Status CompactStore(const std::string& path);

}  // namespace consent::store
