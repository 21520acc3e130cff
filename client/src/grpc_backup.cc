// GrpcClient's calls about backups.
#include <utility>

#include "client/src/grpc_client.h"

namespace consent {

absl::StatusOr<BackupId> GrpcClient::BeginBackup(const CallOptions& options) {
  v1::BeginBackupResponse response;
  const absl::Status called =
      Call(options, false, *backup_, &v1::BackupService::Stub::BeginBackup, v1::BeginBackupRequest(), &response);
  if (!called.ok()) return called;
  return BackupId(response.backup_id());
}

absl::StatusOr<BackupPiece> GrpcClient::ReadBackup(const BackupId& backup, const std::string& file, int64_t offset,
                                                   const CallOptions& options) {
  v1::ReadBackupRequest request;
  request.set_backup_id(backup.value());
  request.set_file(file);
  request.set_offset(offset);
  v1::ReadBackupResponse response;
  const absl::Status called = Call(options, true, *backup_, &v1::BackupService::Stub::ReadBackup, request, &response);
  if (!called.ok()) return called;
  return BackupPiece{response.ready(), response.rows_verified(), std::move(*response.mutable_data())};
}

absl::Status GrpcClient::EndBackup(const BackupId& backup, bool taken, const CallOptions& options) {
  v1::EndBackupRequest request;
  request.set_backup_id(backup.value());
  request.set_taken(taken);
  v1::EndBackupResponse response;
  return Call(options, false, *backup_, &v1::BackupService::Stub::EndBackup, request, &response);
}

}  // namespace consent
