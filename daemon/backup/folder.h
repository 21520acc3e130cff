// A backup as a folder: MANIFEST.json, MANIFEST.json.sha256, and the database's files below `store`. Reads, checks and
// copies one; needs no keys and no engine. Thread-safe.
//
// Whole is what has a manifest whose hash fits: whoever writes a backup writes the manifest last.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/v1/backup_manifest.pb.h"
#include "daemon/backup/manifest.h"

namespace consent::backup {

// The folder's manifest, whole and valid. NotFound: there is none; DataLoss: damaged, or its hash does not fit;
// FailedPrecondition: of another format; else the file system's errors. Texts name the path and what to do.
absl::StatusOr<v1::BackupManifest> ReadManifest(const std::string& folder);

// Compares every file with the manifest: size and SHA-256, nothing missing, nothing extra. Reads all of it. DataLoss
// with the first problem and the file's name.
absl::Status CheckFiles(const std::string& folder, const v1::BackupManifest& manifest);

// Copies the database's files of the backup in `folder` to the folder `to`, which must not exist (its parent must):
// true copies, no links; each compared with the manifest as it is read; every file, `to` and its parent synced. On an
// error what was copied stays for the caller to remove.
absl::Status CopyStore(const std::string& folder, const v1::BackupManifest& manifest, const std::string& to);

// Of all files that the manifest lists.
uint64_t TotalBytes(const v1::BackupManifest& manifest);

}  // namespace consent::backup
