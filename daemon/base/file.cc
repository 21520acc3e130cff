#include "daemon/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace consent::base {
namespace {

std::string Named(std::string_view what, std::string_view name, const std::string& path) {
  std::string text(what);
  return text.append(" ").append(name).append(" ").append(path);
}

std::string Octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) close(fd_);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

std::string ErrorAdvice(int error) {
  std::string cause = std::strerror(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return cause +
             ": no space or no inode is left (df, df -i, quota); free some. Nothing that was acknowledged is lost";
    case EMFILE:
      return cause + ": this process has used up its descriptors; raise its limit (LimitNOFILE of the unit, ulimit -n)";
    case ENFILE:
      return cause + ": the machine has used up its descriptors (fs.file-max)";
    case ENOMEM:
    case ENOBUFS:
      return cause + ": raise its limit (MemoryMax of the unit, ulimit -v), or end others that use memory";
    case EAGAIN:
      return cause + ": no thread or lock can be had now; see the limit of processes (TasksMax of the unit, ulimit -u)";
    case EIO:
      return cause +
             ": the device reports an error; see the kernel's log and the disk first, and leave the files as they are "
             "until then";
    case EROFS:
      return cause + ": see the kernel's log for why it is mounted so, then mount it writable";
    case EACCES:
    case EPERM:
      return cause + ": user " + std::to_string(geteuid()) +
             " runs the daemon and may not; see the owner and mode of it and of the folders above it";
    case ELOOP:
      return cause + ": a symbolic link stands there; name the file itself";
    case ENOTDIR:
      return cause + ": a part of the path is no folder; see the path";
    default:
      return cause;
  }
}

bool IsShortage(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
      return true;
    default:
      return false;
  }
}

absl::Status FileError(std::string_view what, int error) {
  const std::string text = std::string(what) + ": " + ErrorAdvice(error);
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error == EEXIST) return absl::AlreadyExistsError(text);
  return IsShortage(error) ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
}

absl::StatusOr<FileDescriptor> OpenRegular(std::string_view name, const std::string& path, Links links) {
  // O_NONBLOCK: a pipe in the file's place is refused, not waited for.
  const int follow = links == Links::kRefuse ? O_NOFOLLOW : 0;
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follow));
  const int error = file.ok() ? 0 : errno;
  const bool is_link = error == ELOOP && links == Links::kRefuse;
  const bool is_odd =
      is_link || error == ENXIO || error == ENODEV;  // the latter two: a socket, a device without a driver
  if (!file.ok() && !is_odd) return FileError(Named("cannot open the", name, path), error);
  struct stat info {};
  if (file.ok() && fstat(file.fd(), &info) != 0) return FileError(Named("cannot examine the", name, path), errno);
  if (is_odd || !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(Named("the", name, path) + " is not a regular file but a " +
                                         (S_ISDIR(info.st_mode) ? "folder"
                                          : is_link             ? "symbolic link"
                                                                : "pipe, socket or device") +
                                         "; name a file");
  }
  return file;
}

absl::Status CheckPrivate(int fd, std::string_view name, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return FileError(Named("cannot examine the", name, path), errno);
  if (info.st_uid != geteuid()) {
    return absl::FailedPreconditionError(Named("the", name, path) + " belongs to user " + std::to_string(info.st_uid) +
                                         ", not to user " + std::to_string(geteuid()) +
                                         " who runs the daemon; see who made it, then change its owner (chown)");
  }
  if ((info.st_mode & 077U) != 0) {
    return absl::FailedPreconditionError(Named("the", name, path) + " is open to its group or to others (mode " +
                                         Octal(info.st_mode) + "); see who may have used it, then set mode " +
                                         (S_ISDIR(info.st_mode) ? "0700" : "0600"));
  }
  return absl::OkStatus();
}

absl::Status CheckBrought(int fd, std::string_view name, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return FileError(Named("cannot examine the", name, path), errno);
  const bool is_roots = info.st_uid == 0 && info.st_gid == 0 && (info.st_mode & 027U) == 0;
  if (is_roots) return absl::OkStatus();
  if (info.st_uid == 0 && geteuid() != 0) {
    return absl::FailedPreconditionError(
        Named("the", name, path) + " is open to more than root and this service (group " + std::to_string(info.st_gid) +
        ", mode " + Octal(info.st_mode) + "); the service manager makes it otherwise: see who else did");
  }
  return CheckPrivate(fd, name, path);
}

absl::Status CheckNotOpenToAll(int fd, std::string_view name, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return FileError(Named("cannot examine the", name, path), errno);
  if ((info.st_mode & 02U) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(Named("the", name, path) + " can be written by everybody (mode " +
                                       Octal(info.st_mode) +
                                       "); see whether it still says what it should, then set mode 0644");
}

absl::StatusOr<std::string> ReadBounded(int fd, std::string_view name, const std::string& path, size_t max_bytes) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return FileError(Named("cannot examine the", name, path), errno);
  // Room for a byte more than the size that it has now shows its end in one more read.
  std::string text(std::min(static_cast<size_t>(std::max<off_t>(info.st_size, 0)), max_bytes) + 1, '\0');
  size_t size = 0;
  for (;;) {
    if (size == text.size()) text.resize(std::min(2 * size, max_bytes + 1));
    const ssize_t n = read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError(Named("cannot read the", name, path), errno);
    if (n == 0) break;
    size += static_cast<size_t>(n);
    if (size > max_bytes) {
      return absl::InvalidArgumentError(Named("the", name, path) + " is over " + std::to_string(max_bytes) +
                                        " bytes, the most that is read");
    }
  }
  text.resize(size);
  return text;
}

}  // namespace consent::base
