// What Open learns about an existing database, and whether anything acknowledged is missing. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/store/rocksdb/database.h"
#include "daemon/store/rocksdb/head_file.h"
#include "daemon/store/rocksdb/rows.h"

namespace consent::store {

struct Recovered {
  StoreIdentity store;
  std::vector<Head> heads;       // per partition
  std::vector<Sequence> firsts;  // per partition, the oldest row of its feed
};

// The store's description. DataLoss: damaged or missing; FailedPrecondition: of another format.
absl::StatusOr<StoreIdentity> ReadIdentity(const Database& database);

// Reads the store's description and the ends of its feeds. Follows each feed's chain back from its head over at least
// `verify_bytes` of rows (all that can have come from the log, so that a hole where the log met the files is found) and
// at least 1,000 rows. DataLoss: a description, row or chain is damaged or missing.
absl::StatusOr<Recovered> Recover(const Database& database, uint64_t verify_bytes);

// Compares with the head file's record; nothing: there is no head file. One text per thing that is missing; none: all
// is there. An error only where the database cannot be read.
absl::StatusOr<std::vector<std::string>> FindLosses(const Database& database, const Recovered& recovered,
                                                    const std::optional<HeadRecord>& record);

}  // namespace consent::store
