#include "client/cli/engines/backup_list.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "daemon/backup/folder.h"

namespace consent::cli {
namespace {

namespace fs = std::filesystem;

Time TimeOf(const google::protobuf::Timestamp& time) {
  return Time(std::chrono::microseconds(time.seconds() * 1'000'000 + time.nanos() / 1'000));
}

ListedBackup Look(const std::string& name, const std::string& path) {
  ListedBackup listed{name, path, {}, {}, 0, 0, 0, {}};
  const absl::StatusOr<v1::BackupManifest> manifest = backup::ReadManifest(path);
  listed.status = manifest.status();
  if (!manifest.ok()) return listed;
  listed.created = TimeOf(manifest->create_time());
  listed.bytes = backup::TotalBytes(*manifest);
  listed.files = static_cast<uint64_t>(manifest->files_size());
  for (const v1::BackupHead& head : manifest->heads()) listed.changes += static_cast<uint64_t>(head.sequence());
  listed.store_id = manifest->store_id();
  return listed;
}

}  // namespace

bool IsBackupName(std::string_view name) {
  constexpr std::string_view kForm = "00000000T000000Z-ffffffff";
  if (name.size() != kForm.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const bool is_digit = name[i] >= '0' && name[i] <= '9';
    const bool is_hex = is_digit || (name[i] >= 'a' && name[i] <= 'f');
    const bool fits = kForm[i] == '0' ? is_digit : kForm[i] == 'f' ? is_hex : name[i] == kForm[i];
    if (!fits) return false;
  }
  return true;
}

absl::StatusOr<std::vector<ListedBackup>> ListBackups(const std::string& folder) {
  std::vector<ListedBackup> listed;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (IsBackupName(name)) listed.push_back(Look(name, at->path().string()));
  }
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("the folder ", folder, " cannot be listed (", error.message(), ")"));
  }
  // Names begin with the time of their beginning.
  std::sort(listed.begin(), listed.end(), [](const ListedBackup& a, const ListedBackup& b) { return a.name > b.name; });
  return listed;
}

std::vector<ListedBackup> BackupsToPrune(const std::vector<ListedBackup>& listed, Time now, std::chrono::days keep) {
  std::vector<ListedBackup> old;
  bool has_newer = false;
  for (const ListedBackup& backup : listed) {
    if (!backup.status.ok()) continue;  // of which nothing is known a person decides
    if (has_newer && backup.created < now - keep) old.push_back(backup);
    has_newer = true;
  }
  return old;
}

absl::Status RemoveBackup(const ListedBackup& backup) {
  for (const std::string_view name : {backup::kManifestHashName, backup::kManifestName}) {
    const std::string path = absl::StrCat(backup.path, "/", std::string(name));
    if (unlink(path.c_str()) == 0 || errno == ENOENT) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the file ", path, " cannot be removed (", std::strerror(errno), ")"));
  }
  std::error_code error;
  fs::remove_all(backup.path, error);
  if (!error) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the backup ", backup.path, " cannot be removed (", error.message(), ")"));
}

}  // namespace consent::cli
