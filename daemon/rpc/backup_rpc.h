// BackupService on gRPC.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/v1/backup_service.grpc.pb.h"
#include "daemon/rpc/raw_service.h"

namespace consent::rpc {

// Takes backups; the composition root does it (app/backups.h). Thread-safe; outlives the server. All may block.
class BackupSource {
 public:
  virtual ~BackupSource() = default;
  // Begins one and returns its id; of one that is over it waits for what is still there of it. BACKUP_RUNNING.
  virtual absl::StatusOr<std::string> Begin() = 0;
  struct Piece {
    bool is_ready = false;
    uint64_t rows_verified = 0;  // while it is not ready
    std::string data;
  };
  // Waits up to a second for one that is not ready. BACKUP_NOT_FOUND, BACKUP_UNSOUND, BACKUP_NOT_MADE.
  virtual absl::StatusOr<Piece> Read(const std::string& id, const std::string& file, uint64_t offset) = 0;
  // BACKUP_NOT_FOUND.
  virtual absl::Status End(const std::string& id, bool is_taken) = 0;
};

// Everything here runs on the read pool. Thread-safe.
class BackupRpc final : public RawService<v1::BackupService> {
 public:
  BackupRpc(BackupSource& source, const RpcDependencies& dependencies);
};

}  // namespace consent::rpc
