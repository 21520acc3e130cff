// One row of a store that a daemon may have open.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "daemon/store/store.h"

namespace consent::store {

// The row as it was at some moment since the call began. Takes no lock and writes nothing. Unavailable: it cannot be
// read, or is there but changed too fast; NotFound: no such row.
absl::StatusOr<std::string> PeekRow(const std::string& db_path, Partition partition, Table table, std::string_view key);

}  // namespace consent::store
