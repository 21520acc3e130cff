// A RocksDB folder opened read-only. No RocksDB type crosses this header.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/store/frozen_store.h"

namespace consent::store {

// Opens the database folder `path`. Writes nothing there and takes no lock: whoever opens it sees to it that nobody
// writes meanwhile (as with a staged copy or a backup). NotFound: no database; DataLoss: damaged, the
// log included; FailedPrecondition: of another format; else the file system's errors.
absl::StatusOr<std::unique_ptr<FrozenStore>> OpenFrozen(const std::string& path);

// The same of a store's folder, which no daemon may open as long as the result lives. FailedPrecondition: one has it,
// or the head file, where there is one, knows of changes that the store has not.
absl::StatusOr<std::unique_ptr<FrozenStore>> OpenFrozenLocked(const std::string& path, const std::string& head_path);

}  // namespace consent::store
