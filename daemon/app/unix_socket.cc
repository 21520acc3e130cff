#include "daemon/app/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace consent::app {
namespace {

absl::Status SystemError(const std::string& what) { return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno))); }

absl::Status PrivateFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) == 0) return absl::OkStatus();
  if (errno != EEXIST) return SystemError(absl::StrCat("the socket's folder ", folder, " cannot be made"));
  struct stat info {};
  if (lstat(folder.c_str(), &info) != 0) return SystemError(folder);
  if (!S_ISDIR(info.st_mode)) return absl::FailedPreconditionError(absl::StrCat("the socket's folder ", folder, " is no folder"));
  if (info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the socket's folder %s must belong to the daemon's user and be closed to everybody else (mode 0700), because callers "
                        "are not authenticated; it has mode %04o and owner %d",
                        folder, info.st_mode & 07777, info.st_uid));
  }
  return absl::OkStatus();
}

// Whether somebody accepts connections there.
bool Answers(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool answers = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 || errno == EAGAIN;
  close(fd);
  return answers;
}

}  // namespace

absl::StatusOr<UnixSocket> UnixSocket::Prepare(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (absl::Status status = PrivateFolder(slash == 0 ? "/" : path.substr(0, slash)); !status.ok()) return status;
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) return absl::FailedPreconditionError(absl::StrCat(path, " is there and is no socket; it is not replaced"));
    if (Answers(path)) return absl::FailedPreconditionError(absl::StrCat("another process answers on ", path));
  } else if (errno != ENOENT) {
    return SystemError(path);
  }
  return UnixSocket(path);
}

absl::Status UnixSocket::Publish() {
  if (rename(bind_path_.c_str(), path_.c_str()) != 0) return SystemError(absl::StrCat("the socket ", path_, " cannot be put in place"));
  published_ = true;
  return absl::OkStatus();
}

void UnixSocket::Remove() {
  if (published_) unlink(path_.c_str());
  published_ = false;
}

}  // namespace consent::app
