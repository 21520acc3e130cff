// BackupService: what is asked of a backup that is being taken.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "consent/v1/backup_service.pb.h"

namespace consent::wire {

struct BackupInput {
  std::string backup_id;
  std::string file;       // of ReadBackup
  uint64_t offset = 0;    // the same
  bool is_taken = false;  // of EndBackup
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
absl::Status ReadBeginBackup(const v1::BeginBackupRequest& request);
absl::StatusOr<BackupInput> ReadReadBackup(const v1::ReadBackupRequest& request);
absl::StatusOr<BackupInput> ReadEndBackup(const v1::EndBackupRequest& request);

}  // namespace consent::wire
