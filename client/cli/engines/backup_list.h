// The backups of a folder: which there are, how old, and which may go.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/types.h"

namespace consent::cli {

// `20261129T183000Z-3f2a9c1d`, as the daemon names them.
bool IsBackupName(std::string_view name);

struct ListedBackup {
  std::string name;
  std::string path;
  // Why its manifest cannot be used; OK where it can. The rest is set then.
  absl::Status status;
  Time created;
  uint64_t bytes = 0;
  uint64_t files = 0;
  uint64_t changes = 0;  // of all partitions together, as their heads count them
  std::string store_id;
};

// All of `folder`, the newest first; other names are left alone. Reads manifests and no more. FailedPrecondition: the
// folder cannot be listed.
absl::StatusOr<std::vector<ListedBackup>> ListBackups(const std::string& folder);

// Of `listed`, in that order, those that began more than `keep` before `now`: all but the newest that can be used,
// which stays however old it is. Pure.
std::vector<ListedBackup> BackupsToPrune(const std::vector<ListedBackup>& listed, Time now, std::chrono::days keep);

// Removes it: its manifest first, so that what an interruption leaves is no backup.
absl::Status RemoveBackup(const ListedBackup& backup);

}  // namespace consent::cli
