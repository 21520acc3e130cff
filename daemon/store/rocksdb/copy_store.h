// What is done to a store's folder while no daemon has it. No RocksDB type crosses this header.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "daemon/base/bytes.h"
#include "daemon/store/frozen_store.h"

namespace consent::store {

// Makes of `from` another store, with another id, in the folder `to`, where nothing may be, and its head file: all
// rows, and the feed with its chains as they are. `from` is left as it is. Killed before its end there is nothing at
// `to`, or what a daemon refuses; what lies at `<to>.copying` the next run removes. FailedPrecondition: a place is
// taken.
absl::Status CopyStoreTo(const FrozenStore& from, const base::Bytes16& store_id, const std::string& to,
                         const std::string& head_path);

// Rewrites all table files, so that what was overwritten or deleted takes no room. FailedPrecondition: a daemon has it,
// or it is of another format; DataLoss: damaged.
absl::Status CompactStore(const std::string& path);

}  // namespace consent::store
