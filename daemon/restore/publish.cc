#include "daemon/restore/publish.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/base/file.h"
#include "daemon/base/own_folder.h"

namespace consent::restore {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxHeadBytes = 1 << 20;

bool Exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

bool IsEmptyFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) && fs::is_empty(path, error) && !error;
}

// A whole file or none, of mode 0600: written beside its place, synced and moved.
absl::Status WriteFile(const std::string& path, std::string_view bytes) {
  const std::string aside = path + ".new";
  (void)unlink(aside.c_str());
  const base::FileDescriptor file(open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.ok()) return base::FileError("cannot make " + aside, errno);
  while (!bytes.empty()) {
    const ssize_t written = write(file.fd(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::FileError("cannot write " + aside, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file.fd()) != 0) return base::FileError("cannot sync " + aside, errno);
  if (rename(aside.c_str(), path.c_str()) != 0) return base::FileError("cannot move " + aside + " into place", errno);
  return base::SyncFolderOf(path);
}

// Also to another disk. What is there already stays: an earlier run moved it.
absl::Status MoveFile(const std::string& from, const std::string& to) {
  if (!Exists(from)) return absl::OkStatus();
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("restored file", from, base::Links::kRefuse);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> bytes = base::ReadBounded(file->fd(), "restored file", from, kMaxHeadBytes);
  if (!bytes.ok()) return bytes.status();
  if (absl::Status s = WriteFile(to, *bytes); !s.ok()) return s;
  if (unlink(from.c_str()) != 0) return base::FileError("cannot remove " + from, errno);
  return absl::OkStatus();
}

}  // namespace

WorkFolder::WorkFolder(std::string data_dir, std::string head_file)
    : data_dir_(std::move(data_dir)), head_file_(std::move(head_file)), path_(data_dir_ + ".restoring") {}

absl::StatusOr<bool> WorkFolder::IsMade() const {
  // The report is written last, and leaves first.
  if (Exists(report())) return true;
  return !Exists(store()) && Exists(head()) && Exists(data_dir_ + ".restored");
}

absl::Status WorkFolder::CheckRoom() const {
  if (Exists(data_dir_) && !IsEmptyFolder(data_dir_)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--data-dir: ", data_dir_,
        " holds something: a store is restored into a folder that is not there or is empty, never over another one"));
  }
  if (Exists(head_file_)) {
    return absl::FailedPreconditionError(
        absl::StrCat("--head-file: ", head_file_,
                     " is there: move it away, for it tells of the lost store; the restored one gets its own"));
  }
  return absl::OkStatus();
}

absl::Status WorkFolder::Begin() const {
  std::error_code error;
  fs::remove_all(path_, error);
  if (error) return base::FileError("cannot remove what an earlier restore left in " + path_, error.value());
  fs::create_directories(fs::path(path_).parent_path(), error);
  if (mkdir(path_.c_str(), 0700) != 0) return base::FileError("cannot make " + path_, errno);
  return base::SyncFolderOf(path_);
}

absl::Status WorkFolder::WriteReport(const Report& report, base::Instant now) const {
  std::string text = absl::StrCat("restored_at ", base::FormatRfc3339(now), "\n");
  for (const auto& [name, count] : Counts(report)) absl::StrAppend(&text, name, " ", count, "\n");
  return WriteFile(this->report(), text);
}

absl::Status WorkFolder::Publish() const {
  if (Exists(store())) {
    // An empty folder makes room; rename(2) puts one in the place of the other.
    if (rename(store().c_str(), data_dir_.c_str()) != 0) {
      return base::FileError(absl::StrCat("cannot move the restored store to ", data_dir_), errno);
    }
    if (absl::Status s = base::SyncFolderOf(data_dir_); !s.ok()) return s;
  }
  if (absl::Status s = MoveFile(report(), data_dir_ + ".restored"); !s.ok()) return s;
  if (absl::Status s = MoveFile(head(), head_file_); !s.ok()) return s;
  std::error_code error;
  fs::remove_all(path_, error);
  if (error) return base::FileError("cannot remove " + path_, error.value());
  return base::SyncFolderOf(path_);
}

}  // namespace consent::restore
