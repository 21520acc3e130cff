#include "daemon/base/own_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/base/file.h"

namespace consent::base {

namespace fs = std::filesystem;

absl::Status RemoveOwnFolder(const std::string& what, const std::string& folder, const IsOwnEntry& is_own) try {
  const fs::file_status status = fs::symlink_status(folder);
  if (!fs::exists(status)) return absl::OkStatus();
  bool is_ours = fs::is_directory(status);
  if (is_ours) {
    const fs::recursive_directory_iterator entries(folder);
    is_ours = std::all_of(begin(entries), end(entries), [&](const fs::directory_entry& entry) {
      return is_own(entry.path().lexically_relative(folder), entry.symlink_status().type());
    });
  }
  if (!is_ours) {
    return absl::FailedPreconditionError(folder + " is where the daemon keeps " + what +
                                         ", and holds something else: move it away");
  }
  fs::remove_all(folder);
  return absl::OkStatus();
} catch (const fs::filesystem_error& error) {
  return FileError("the folder " + folder + " for " + what + " cannot be emptied", error.code().value());
}

absl::Status PrepareOwnFolder(const std::string& what, const std::string& folder) {
  constexpr mode_t kMode = 0750;
  const auto failed = [&](const char* act) { return FileError(what + ": cannot " + act + " " + folder, errno); };
  if (mkdir(folder.c_str(), kMode) == 0) {
    if (chmod(folder.c_str(), kMode) != 0) return failed("set the mode of the folder");
  } else if (errno != EEXIST) {
    return failed("make the folder");
  }
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) return failed("look at");
  if (!S_ISDIR(info.st_mode)) return absl::FailedPreconditionError(what + ": " + folder + " is no folder");
  if (info.st_uid == geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(what + ": the folder " + folder +
                                       " must belong to the daemon's user and be closed to others' writing (chmod "
                                       "0750)");
}

absl::Status SyncFolder(const std::string& folder) {
  const FileDescriptor opened(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.ok() && fsync(opened.fd()) == 0) return absl::OkStatus();
  return FileError("cannot sync the folder " + folder, errno);
}

absl::Status SyncFolderOf(const std::string& path) { return SyncFolder(fs::path(path).parent_path().string()); }

}  // namespace consent::base
