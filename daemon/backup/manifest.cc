#include "daemon/backup/manifest.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "daemon/base/hash.h"
#include "daemon/json/document.h"
#include "daemon/json/problems.h"

namespace consent::backup {
namespace {

constexpr size_t kMaxFileName = 128;  // behind "store/"
constexpr int kMaxTables = 256;

bool IsHex(const std::string& text, size_t bytes) {
  std::string out(bytes, '\0');
  return base::FromHex(text, out.data(), bytes);
}

void CheckHash(json::Problems& problems, const std::string& path, const std::string& text, size_t bytes) {
  if (!IsHex(text, bytes)) problems.Add(path, "must be " + std::to_string(bytes) + " bytes in lower-case hexadecimal");
}

std::vector<json::Problem> Validate(const v1::BackupManifest& manifest) {
  json::Problems problems;
  CheckHash(problems, "store_id", manifest.store_id(), 16);
  CheckHash(problems, "key_fingerprint", manifest.key_fingerprint(), 16);
  if (manifest.version().empty() || manifest.version().size() > json::kMaxName) {
    problems.Add("version", "must have 1 to 64 bytes");
  }
  problems.Range("data_format", manifest.data_format(), 1, 255);
  if (!manifest.has_create_time()) problems.Add("create_time", "must be given");
  if (problems.Count("heads", manifest.heads_size(), 1, kMaxHeads)) {
    for (int i = 0; i < manifest.heads_size(); ++i) {
      const std::string path = "heads[" + std::to_string(i) + "]";
      if (manifest.heads(i).sequence() < 0) problems.Add(path + ".sequence", "must not be negative");
      CheckHash(problems, path + ".chain", manifest.heads(i).chain(), 32);
    }
  }
  if (manifest.rows_size() > kMaxTables) problems.Add("rows", "must be at most 256");
  if (problems.Count("files", manifest.files_size(), 1, kMaxFiles)) {
    for (int i = 0; i < manifest.files_size(); ++i) {
      const std::string path = "files[" + std::to_string(i) + "]";
      const v1::BackupFile& file = manifest.files(i);
      if (!IsFileName(file.name())) problems.Add(path + ".name", "is no name of a backup's file");
      if (i != 0 && file.name() <= manifest.files(i - 1).name()) problems.Add(path + ".name", "is out of order");
      if (file.bytes() < 0) problems.Add(path + ".bytes", "must not be negative");
      CheckHash(problems, path + ".sha256", file.sha256(), 32);
    }
  }
  return problems.Take();
}

}  // namespace

bool IsFileName(std::string_view name) {
  if (!name.starts_with(kStoreFolder) || name.size() <= kStoreFolder.size() || name[kStoreFolder.size()] != '/') {
    return false;
  }
  name.remove_prefix(kStoreFolder.size() + 1);
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kMaxFileName && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

std::string EncodeManifest(const v1::BackupManifest& manifest) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  // Fails on messages alone that hold an Any or a time out of range, and a manifest holds neither.
  if (!google::protobuf::util::MessageToJsonString(manifest, &json, options).ok()) json.clear();
  return json;
}

std::string ManifestHashLine(std::string_view manifest_bytes) {
  return base::Hex(base::View(base::Sha256(manifest_bytes))) + "  " + std::string(kManifestName) + "\n";
}

absl::StatusOr<v1::BackupManifest> DecodeManifest(const std::string& path, const std::string& bytes,
                                                  std::string_view hash_line) {
  if (hash_line != ManifestHashLine(bytes)) {
    return absl::DataLossError(path + " is damaged: its SHA-256 is not the one that " + std::string(kManifestHashName) +
                               " beside it says. Use another backup");
  }
  v1::BackupManifest manifest;
  const absl::Status parsed = json::Parse("the manifest " + path, bytes, kMaxManifestBytes, &manifest);
  if (parsed.ok() && manifest.manifest_format() != kManifestFormat) {
    return absl::FailedPreconditionError("the manifest " + path + " has format " +
                                         std::to_string(manifest.manifest_format()) +
                                         ", this build reads format 1: nothing is wrong with it; use the build that "
                                         "made it");
  }
  if (!parsed.ok()) return absl::DataLossError(parsed.message());
  const std::vector<json::Problem> problems = Validate(manifest);
  if (problems.empty()) return manifest;
  return absl::DataLossError(json::ToStatus("the manifest " + path, problems).message());
}

}  // namespace consent::backup
