#include "daemon/base/own_folder.h"

#include <algorithm>

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

}  // namespace consent::base
