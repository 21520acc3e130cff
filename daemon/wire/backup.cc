#include "daemon/wire/backup.h"

#include <cstddef>
#include <cstdint>

#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

constexpr size_t kMaxBackupId = 64;
constexpr size_t kMaxBackupFile = 160;
constexpr int64_t kMaxOffset = int64_t{1} << 50;  // a pebibyte: no file of a store comes near

}  // namespace

absl::Status ReadBeginBackup(const v1::BeginBackupRequest& request) {
  Violations violations;
  RefuseMistyped(request, Path(), &violations);
  return violations.ToStatus();
}

absl::StatusOr<BackupInput> ReadReadBackup(const v1::ReadBackupRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckText(request.backup_id(), 1, kMaxBackupId, Path(root, "backup_id"), &violations);
  CheckText(request.file(), 1, kMaxBackupFile, Path(root, "file"), &violations);
  CheckRange(request.offset(), 0, kMaxOffset, Path(root, "offset"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return BackupInput{request.backup_id(), request.file(), static_cast<uint64_t>(request.offset()), false};
}

absl::StatusOr<BackupInput> ReadEndBackup(const v1::EndBackupRequest& request) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckText(request.backup_id(), 1, kMaxBackupId, Path(root, "backup_id"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return BackupInput{request.backup_id(), {}, 0, request.taken()};
}

}  // namespace consent::wire
