// Looks at the write-ahead log before the engine does. Recovery stops at the first damaged record and drops what
// follows without a word, which is right for a write that a crash cut short and wrong for damage in the middle.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace consent::store {

// Sound: every record is whole, apart from what one interrupted write explains. Every write was synced before the next
// began, so a record that begins after a damaged one proves that the damaged one had been acknowledged.
bool IsWalSound(std::string_view file);

// Checks all log files (*.log) of the folder; returns their bytes in total. DataLoss names the damaged file;
// Unavailable: one cannot be read.
absl::StatusOr<uint64_t> CheckWalFiles(const std::string& folder);

}  // namespace consent::store
