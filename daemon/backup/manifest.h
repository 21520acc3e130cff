// MANIFEST.json: its bytes, and whether they are those of a whole backup. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/v1/backup_manifest.pb.h"
#include "daemon/base/bytes.h"

namespace consent::backup {

inline constexpr std::string_view kManifestName = "MANIFEST.json";
inline constexpr std::string_view kManifestHashName = "MANIFEST.json.sha256";
inline constexpr std::string_view kStoreFolder = "store";  // the database's files, without a folder in it
inline constexpr int kManifestFormat = 1;
inline constexpr size_t kMaxManifestBytes = 64 << 20;
inline constexpr int kMaxFiles = 100'000;
inline constexpr int kMaxHeads = 1024;

// The file's bytes.
std::string EncodeManifest(const v1::BackupManifest& manifest);
// The content of kManifestHashName, as sha256sum writes it.
std::string ManifestHashLine(std::string_view manifest_bytes);

// What the bytes say. `path` names the file for people. DataLoss: the hash does not fit, or they are no manifest;
// FailedPrecondition: of another format than kManifestFormat.
absl::StatusOr<v1::BackupManifest> DecodeManifest(const std::string& path, const std::string& bytes,
                                                  std::string_view hash_line);

// Whether a backup has a file of this name: "store/000012.sst". Nothing that leads out of its folder.
bool IsFileName(std::string_view name);

}  // namespace consent::backup
