#include "daemon/rpc/backup_rpc.h"

#include <utility>

#include "daemon/wire/backup.h"

namespace consent::rpc {

BackupRpc::BackupRpc(BackupSource& source, const RpcDependencies& dependencies) : RawService(dependencies) {
  Serve<v1::BeginBackupRequest, v1::BeginBackupResponse>("BeginBackup", [this, &source](auto call) {
    FinishOnPool(dependencies_, call, [&source, call]() -> absl::Status {
      if (absl::Status s = wire::ReadBeginBackup(call->request()); !s.ok()) return s;
      const absl::StatusOr<std::string> id = source.Begin();
      if (id.ok()) call->response()->set_backup_id(*id);
      return id.status();
    });
  });
  Serve<v1::ReadBackupRequest, v1::ReadBackupResponse>("ReadBackup", [this, &source](auto call) {
    call->NoteRequestedWait();
    FinishOnPool(dependencies_, call, [&source, call]() -> absl::Status {
      const absl::StatusOr<wire::BackupInput> input = wire::ReadReadBackup(call->request());
      if (!input.ok()) return input.status();
      absl::StatusOr<BackupSource::Piece> piece = source.Read(input->backup_id, input->file, input->offset);
      if (!piece.ok()) return piece.status();
      call->response()->set_ready(piece->is_ready);
      call->response()->set_rows_verified(static_cast<int64_t>(piece->rows_verified));
      call->response()->set_data(std::move(piece->data));
      return absl::OkStatus();
    });
  });
  Serve<v1::EndBackupRequest, v1::EndBackupResponse>("EndBackup", [this, &source](auto call) {
    FinishOnPool(dependencies_, call, [&source, call]() -> absl::Status {
      const absl::StatusOr<wire::BackupInput> input = wire::ReadEndBackup(call->request());
      return input.ok() ? source.End(input->backup_id, input->is_taken) : input.status();
    });
  });
}

}  // namespace consent::rpc
