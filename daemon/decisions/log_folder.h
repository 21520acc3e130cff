// The folder of the decision log: what its files are called, and where the records in it end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/file.h"
#include "daemon/decisions/record.h"

namespace consent::decisions {

// "decisions-00000000000000000042.jsonl": the file whose first record is number 42. Names order as their records do.
std::string FileName(uint64_t first_record);
// False: no name of the log's.
bool ReadFileName(std::string_view name, uint64_t* first_record);

// Makes the folder (mode 0750) where it is missing; the one above it has to be there. FailedPrecondition: no folder,
// not this user's, or open to writing by others. Others as base::FileError.
absl::Status PrepareFolder(const std::string& folder);

// Where the records of the folder's files end. What stands behind the last whole line of the newest file, which a
// killed process left, is cut off: its yes was not said. DataLoss: the last whole line of it is no record. Others as
// base::FileError.
absl::StatusOr<Position> FindEnd(const std::string& folder);

// Opens the file whose first record is `first_record`, which has no whole record yet, for appending; mode 0640. Errors
// as base::FileError.
absl::StatusOr<base::FileDescriptor> OpenFile(const std::string& folder, uint64_t first_record);

}  // namespace consent::decisions
