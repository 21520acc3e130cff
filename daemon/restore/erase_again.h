// What was erased since the backup leaves the files of the restored store, before anybody is served from them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/restore/replay.h"
#include "daemon/restore/restore.h"

namespace consent::restore {

struct MadeStore {
  std::string folder;
  std::string head_file;
  uint16_t partitions = 0;
};

// Opens the store, turns the histories of those who were erased into stubs, and has all former bytes leave the files.
// How many rows that were. The store's errors.
absl::StatusOr<uint64_t> EraseAgain(const MadeStore& made, const Means& means, const Replay& replay);

}  // namespace consent::restore
