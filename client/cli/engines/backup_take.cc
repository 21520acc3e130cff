#include "client/cli/engines/backup_take.h"

#include "daemon/backup/folder.h"
#include "daemon/backup/manifest.h"
#include "daemon/base/hash.h"
#include "daemon/base/sha256_stream.h"

namespace consent::cli {
namespace {

absl::Status Differs(const std::string& name) {
  return absl::DataLossError("the backup's file " + name +
                             " did not come as the manifest says: nothing of this backup can be used; take another");
}

// The manifest, once the daemon has made and verified the copy.
absl::StatusOr<std::string> AwaitManifest(Client& client, const BackupId& backup, const BackupProgress& progress) {
  std::string bytes;
  for (;;) {
    const auto piece =
        client.ReadBackup(backup, std::string(backup::kManifestName), static_cast<int64_t>(bytes.size()));
    if (!piece.ok()) return piece.status();
    if (piece->ready && piece->data.empty()) return bytes;
    if (!piece->ready) progress(piece->rows_verified, 0, 0);
    bytes += piece->data;
    if (bytes.size() > backup::kMaxManifestBytes) return Differs(std::string(backup::kManifestName));
  }
}

absl::Status TakeFile(Client& client, const BackupId& backup, const v1::BackupFile& file, BackupSink& sink,
                      const std::function<void(uint64_t)>& taken) {
  if (absl::Status s = sink.BeginFile(file.name(), file.bytes()); !s.ok()) return s;
  base::Sha256Stream hash;
  for (int64_t offset = 0; offset < file.bytes();) {
    const auto piece = client.ReadBackup(backup, file.name(), offset);
    if (!piece.ok()) return piece.status();
    if (piece->data.empty()) return Differs(file.name());
    offset += static_cast<int64_t>(piece->data.size());
    if (offset > file.bytes()) return Differs(file.name());
    hash.Update(piece->data);
    if (absl::Status s = sink.Write(piece->data); !s.ok()) return s;
    taken(piece->data.size());
  }
  if (base::Hex(base::View(hash.Finish())) != file.sha256()) return Differs(file.name());
  return sink.EndFile();
}

absl::Status PutWhole(BackupSink& sink, std::string_view name, std::string_view bytes) {
  absl::Status status = sink.BeginFile(std::string(name), static_cast<int64_t>(bytes.size()));
  if (status.ok()) status = sink.Write(bytes);
  return status.ok() ? sink.EndFile() : status;
}

}  // namespace

absl::StatusOr<v1::BackupManifest> TakeBackup(Client& client, const BackupId& backup, BackupSink& sink,
                                              const BackupProgress& progress) {
  const absl::StatusOr<std::string> bytes = AwaitManifest(client, backup, progress);
  if (!bytes.ok()) return bytes.status();
  const std::string hash = backup::ManifestHashLine(*bytes);
  absl::StatusOr<v1::BackupManifest> manifest =
      backup::DecodeManifest(std::string(backup::kManifestName), *bytes, hash);
  if (!manifest.ok()) return manifest.status();
  const uint64_t total = backup::TotalBytes(*manifest);
  uint64_t done = 0;
  for (const v1::BackupFile& file : manifest->files()) {
    const absl::Status taken = TakeFile(client, backup, file, sink, [&](uint64_t more) {
      done += more;
      progress(0, done, total);
    });
    if (!taken.ok()) return taken;
  }
  if (absl::Status s = PutWhole(sink, backup::kManifestName, *bytes); !s.ok()) return s;
  if (absl::Status s = PutWhole(sink, backup::kManifestHashName, hash); !s.ok()) return s;
  if (absl::Status s = sink.Finish(); !s.ok()) return s;
  return manifest;
}

}  // namespace consent::cli
