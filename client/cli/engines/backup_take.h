// Takes a backup from the daemon, file by file, each compared with the manifest, and gives it to whatever keeps it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/client.h"
#include "consent/v1/backup_manifest.pb.h"

namespace consent::cli {

// Where a backup is kept. Files come one after another; MANIFEST.json and MANIFEST.json.sha256 last. Any error ends the
// backup.
class BackupSink {
 public:
  virtual ~BackupSink() = default;
  virtual absl::Status BeginFile(const std::string& name, int64_t bytes) = 0;
  virtual absl::Status Write(std::string_view data) = 0;
  virtual absl::Status EndFile() = 0;
  // All files were written.
  virtual absl::Status Finish() = 0;
};

// Told as it goes on: rows verified until there are bytes, then bytes of all.
using BackupProgress = std::function<void(int64_t rows, uint64_t bytes, uint64_t total)>;

// Reads all of `backup` into `sink`. DataLoss: what came is not what the manifest says; else the daemon's error or the
// sink's. Not thread-safe.
absl::StatusOr<v1::BackupManifest> TakeBackup(Client& client, const BackupId& backup, BackupSink& sink,
                                              const BackupProgress& progress);

}  // namespace consent::cli
