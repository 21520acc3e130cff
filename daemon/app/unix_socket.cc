#include "daemon/app/unix_socket.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "daemon/base/file.h"

namespace consent::app {
namespace {

absl::Status SystemError(const std::string& what) { return base::FileError(what, errno); }

// No longer than the path itself, which may be as long as sun_path.
std::string BindPath(std::string path) {
  path.back() = path.back() == '~' ? '-' : '~';
  return path;
}
std::string LockPath(const std::string& path) { return path + ".lock"; }

constexpr gid_t kNoGroup = static_cast<gid_t>(-1);

// kNoGroup of an empty name.
absl::StatusOr<gid_t> GroupOf(const std::string& name) {
  if (name.empty()) return kNoGroup;
  group found{};
  group* result = nullptr;
  std::vector<char> memory(size_t{64} << 10);
  const int error = getgrnam_r(name.c_str(), &found, memory.data(), memory.size(), &result);
  if (result != nullptr) return found.gr_gid;
  if (error != 0) return base::FileError(absl::StrCat("the group ", name, " cannot be looked up"), error);
  return absl::FailedPreconditionError(
      absl::StrCat("there is no group ", name, ": make it (groupadd ", name, ") or name another one"));
}

// `folder` is the daemon's own and closed to all others.
absl::Status GiveToGroup(const std::string& folder, gid_t group) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const bool is_given = fd >= 0 && fchown(fd, static_cast<uid_t>(-1), group) == 0 && fchmod(fd, 0750) == 0;
  absl::Status status = is_given ? absl::OkStatus()
                                 : SystemError(absl::StrCat("the socket's folder ", folder,
                                                            " cannot be given to its group, of which the daemon's user "
                                                            "must be a member"));
  if (fd >= 0) close(fd);
  return status;
}

absl::Status OwnFolder(const std::string& folder, gid_t group) {
  const bool grouped = group != kNoGroup;
  const mode_t closed = grouped ? 027 : 077;  // nobody else; nor may the group write
  if (mkdir(folder.c_str(), 0700) == 0) {
    if (!grouped || (chown(folder.c_str(), static_cast<uid_t>(-1), group) == 0 && chmod(folder.c_str(), 0750) == 0)) {
      return absl::OkStatus();
    }
    absl::Status status = SystemError(absl::StrCat(
        "the socket's folder ", folder, " cannot be given to its group, of which the daemon's user must be a member"));
    rmdir(folder.c_str());
    return status;
  }
  if (errno != EEXIST) return SystemError(absl::StrCat("the socket's folder ", folder, " cannot be made"));
  struct stat info {};
  if (lstat(folder.c_str(), &info) != 0) return SystemError(folder);
  if (!S_ISDIR(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat("the socket's folder ", folder, " is no folder"));
  }
  const bool is_ours = info.st_uid == geteuid() && (info.st_mode & closed) == 0;
  if (is_ours && (!grouped || (info.st_gid == group && (info.st_mode & 050) == 050))) return absl::OkStatus();
  // As systemd makes it (RuntimeDirectory=), before it is known which group the listener names.
  if (info.st_uid == geteuid() && (info.st_mode & 077) == 0) return GiveToGroup(folder, group);
  return absl::FailedPreconditionError(absl::StrFormat(
      "the socket's folder %s must belong to the daemon's user%s and be closed to everybody else (mode %s), because "
      "whoever reaches the socket is taken for who the listener says; it has mode %04o, owner %d and group %d",
      folder, grouped ? " and the listener's group" : "", grouped ? "0750" : "0700", info.st_mode & 07777, info.st_uid,
      info.st_gid));
}

// `path` fits, as ops::Address sees to.
sockaddr_un At(const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, path.data(), std::min(path.size(), sizeof at.sun_path - 1));
  return at;
}

// Whether somebody accepts connections there.
absl::StatusOr<bool> SomebodyAnswers(const std::string& path) {
  const sockaddr_un to = At(path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return SystemError("a socket cannot be made");
  const bool answers = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 || errno == EAGAIN;
  close(fd);
  return answers;
}

absl::Status NobodyAt(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return errno == ENOENT ? absl::OkStatus() : SystemError(path);
  if (!S_ISSOCK(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is there and is no socket; it is not replaced"));
  }
  const absl::StatusOr<bool> answers = SomebodyAnswers(path);
  if (!answers.ok()) return answers.status();
  if (*answers) return absl::FailedPreconditionError(absl::StrCat("another process answers on ", path));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UnixSocket> UnixSocket::Listen(const std::string& path, const std::string& group, int backlog) {
  const absl::StatusOr<gid_t> id = GroupOf(group);
  if (!id.ok()) return id.status();
  const size_t slash = path.rfind('/');
  if (absl::Status status = OwnFolder(slash == 0 ? "/" : path.substr(0, slash), *id); !status.ok()) return status;
  UnixSocket made(path, *id);
  if (absl::Status status = made.Lock(); !status.ok()) return status;
  if (absl::Status status = NobodyAt(path); !status.ok()) return status;
  if (absl::Status status = made.Bind(backlog); !status.ok()) return status;
  return made;
}

UnixSocket::UnixSocket(UnixSocket&& other) noexcept
    : path_(std::move(other.path_)),
      group_(other.group_),
      lock_(std::exchange(other.lock_, -1)),
      listener_(std::exchange(other.listener_, -1)),
      published_(std::exchange(other.published_, false)),
      device_(other.device_),
      inode_(other.inode_) {}

UnixSocket::~UnixSocket() {
  Remove();
  if (listener_ >= 0) close(listener_);
}

absl::Status UnixSocket::Lock() {
  const std::string path = LockPath(path_);
  // Whoever stops takes the file away, so a lock may be got on one that has no name any more.
  for (;;) {
    lock_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (lock_ < 0) return SystemError(absl::StrCat("the socket's lock ", path, " cannot be opened"));
    struct stat held {};
    if (fstat(lock_, &held) != 0 || !S_ISREG(held.st_mode)) {
      close(std::exchange(lock_, -1));
      return absl::FailedPreconditionError(
          absl::StrCat("the socket's lock ", path, " is no regular file, which the daemon never makes; take it out"));
    }
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return SystemError(absl::StrCat("the socket's lock ", path, " cannot be taken"));
      close(std::exchange(lock_, -1));
      return absl::FailedPreconditionError(
          absl::StrCat("another process answers on ", path_, ": it holds the lock ", path));
    }
    struct stat named {};
    if (lstat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino) {
      return absl::OkStatus();
    }
    close(std::exchange(lock_, -1));
  }
}

absl::Status UnixSocket::Bind(int backlog) {
  const std::string path = BindPath(path_);
  const sockaddr_un at = At(path);
  if (absl::Status status = NobodyAt(path); !status.ok()) return status;
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return SystemError(absl::StrCat("what a crash left at ", path, " cannot be removed"));
  }
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0) return SystemError("a socket cannot be made");
  struct stat info {};
  const bool grouped = group_ != kNoGroup;
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 || chmod(path.c_str(), 0600) != 0 ||
      (grouped && (chown(path.c_str(), static_cast<uid_t>(-1), group_) != 0 || chmod(path.c_str(), 0660) != 0)) ||
      listen(listener_, backlog) != 0 || lstat(path.c_str(), &info) != 0) {
    absl::Status status = SystemError(absl::StrCat("the socket ", path_, " cannot be made"));
    unlink(path.c_str());
    return status;
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  return absl::OkStatus();
}

int UnixSocket::Release() { return std::exchange(listener_, -1); }

absl::Status UnixSocket::Publish() {
  if (rename(BindPath(path_).c_str(), path_.c_str()) != 0) {
    return SystemError(absl::StrCat("the socket ", path_, " cannot be put in place"));
  }
  published_ = true;
  return absl::OkStatus();
}

void UnixSocket::Remove() {
  if (lock_ < 0) return;
  const std::string name = std::exchange(published_, false) ? path_ : BindPath(path_);
  struct stat info {};
  if (inode_ != 0 && lstat(name.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) {
    unlink(name.c_str());
  }
  unlink(LockPath(path_).c_str());
  close(std::exchange(lock_, -1));
}

}  // namespace consent::app
