#include "daemon/app/places.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/base/file.h"

namespace consent::app {
namespace {

// RocksDB writes several files while it opens, and Debian's ends the process by an assertion where they do not fit.
constexpr uint64_t kLeastFreeMiB = 32;
constexpr uint64_t kLeastFreeInodes = 64;

std::string ParentOf(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

// `folder`, or the nearest one above it that is there.
std::string NearestFolder(std::string folder) {
  struct stat info {};
  while (folder != "/" && stat(folder.c_str(), &info) != 0 && errno == ENOENT) folder = ParentOf(folder);
  return folder;
}

std::optional<Failure> CheckFolder(const char* option, const std::string& folder, ExitCode code) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) {
    if (errno != ENOENT) {
      return FailureFrom(code, base::FileError(absl::StrCat(option, ": cannot look at the folder ", folder), errno));
    }
    return Failure{code, absl::StrCat(option, ": the folder ", folder,
                                      " is missing; mount the disk that has it, or make it (mode 0700)")};
  }
  if (!S_ISDIR(info.st_mode)) {
    return Failure{code, absl::StrCat(option, ": ", folder, " is no folder; nothing can lie in it")};
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return FailureFrom(code, base::FileError(absl::StrCat(option, ": cannot write into the folder ", folder), errno));
  }
  return std::nullopt;
}

// A link that leads nowhere is rather a disk that is not mounted than a folder to be made.
std::optional<Failure> CheckLinks(const std::string& data_dir) {
  for (std::string path = data_dir; !path.empty() && path != "/"; path = ParentOf(path)) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) continue;
    if (stat(path.c_str(), &info) == 0 || errno != ENOENT) continue;
    return Failure{ExitCode::kStore,
                   absl::StrCat("--data-dir: ", path,
                                " is a link to what is not there; mount the disk that has it, or make "
                                "the folder that it names (mode 0700)")};
  }
  return std::nullopt;
}

std::optional<Failure> CheckRoom(const char* option, const std::string& folder) {
  const Room room = RoomAt(folder);
  const auto lacks = [&](uint64_t free, const char* of, uint64_t least) {
    return Failure{
        ExitCode::kShortage,
        absl::StrCat(option, ": the file system of ", folder, " has ", free, " ", of, " free; a start needs ", least,
                     ": free some or enlarge it. Nothing that was acknowledged is lost")};
  };
  if (room.bytes.has_value() && *room.bytes >> 20 < kLeastFreeMiB) {
    return lacks(*room.bytes >> 20, "MiB", kLeastFreeMiB);
  }
  if (room.inodes.has_value() && *room.inodes < kLeastFreeInodes) {
    return lacks(*room.inodes, "inodes", kLeastFreeInodes);
  }
  return std::nullopt;
}

}  // namespace

Room RoomAt(const std::string& path) {
  struct statvfs info {};
  Room room;
  if (statvfs(path.c_str(), &info) != 0) return room;
  if (info.f_blocks != 0) {
    room.bytes = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
    room.size = static_cast<uint64_t>(info.f_blocks) * info.f_frsize;
  }
  if (info.f_files != 0) room.inodes = info.f_favail;
  return room;
}

std::optional<Failure> CheckPlaces(const ops::ServeOptions& options) {
  const std::string parent = ParentOf(options.data_dir);
  if (auto failure = CheckLinks(options.data_dir); failure.has_value()) return failure;
  const std::string nearest = NearestFolder(parent);
  if (auto failure = CheckFolder("--data-dir", nearest, ExitCode::kStore); failure.has_value()) return failure;
  if (auto failure = CheckRoom("--data-dir", NearestFolder(options.data_dir)); failure.has_value()) return failure;
  // Nothing is written beside a credential.
  const std::string& written_key = options.key_is_credential ? options.data_dir : options.key_file;
  for (const auto& [option, path, code] :
       {std::tuple{"--key-file", written_key, ExitCode::kKeys},
        std::tuple{"--head-file", options.head_file, ExitCode::kStore},
        std::tuple{"--decision-log", options.decision_log, ExitCode::kStore},
        std::tuple{"--restriction-journal", options.restriction_journal, ExitCode::kStore}}) {
    const std::string folder = ParentOf(path);
    if (path.empty() || folder == parent) continue;
    if (auto failure = CheckFolder(option, folder, code); failure.has_value()) return failure;
  }
  return std::nullopt;
}

std::optional<Failure> MakeParent(const ops::ServeOptions& options) {
  std::error_code error;
  const std::string parent = ParentOf(options.data_dir);
  std::filesystem::create_directories(parent, error);
  if (!error) return std::nullopt;
  return FailureFrom(ExitCode::kStore,
                     base::FileError(absl::StrCat("--data-dir: cannot make the folder ", parent), error.value()));
}

}  // namespace consent::app
