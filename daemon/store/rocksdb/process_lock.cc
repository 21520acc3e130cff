#include "daemon/store/rocksdb/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace consent::store {
namespace {

// Ok also where the file system knows no such lock: the engine has one of its own.
absl::Status Lock(int fd, const std::string& db_path) {
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the database " + db_path +
      " is in use by another process, be it through another path: nothing is wrong with it. Stop that "
      "daemon, or give this one a --data-dir of its own");
}

}  // namespace

absl::Status ProcessLock::TakeFile(int more_flags) {
  const std::string path = db_path_ + ".lock";
  base::FileDescriptor file(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | more_flags, 0600));
  if (!file.ok()) return base::FileError("cannot open the lock file " + path, errno);
  struct stat info {};
  if (fstat(file.fd(), &info) != 0) return base::FileError("cannot examine the lock file " + path, errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError("the lock file " + path + " is not a regular file; remove it");
  }
  if (absl::Status s = base::CheckPrivate(file.fd(), "lock file", path); !s.ok()) return s;
  if (absl::Status s = Lock(file.fd(), db_path_); !s.ok()) return s;
  file_ = std::move(file);
  return absl::OkStatus();
}

absl::Status ProcessLock::TakeFolder() {
  base::FileDescriptor folder(open(db_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok()) return base::FileError("cannot open the database folder " + db_path_, errno);
  if (absl::Status s = Lock(folder.fd(), db_path_); !s.ok()) return s;
  folder_ = std::move(folder);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ProcessLock>> ProcessLock::Take(const std::string& db_path) {
  std::unique_ptr<ProcessLock> lock(new ProcessLock(db_path));
  if (absl::Status s = lock->TakeFile(O_CREAT); !s.ok()) return s;
  if (absl::Status s = lock->TakeFolder(); !s.ok() && !absl::IsNotFound(s)) return s;
  return lock;
}

absl::Status ProcessLock::Probe(const std::string& db_path) {
  ProcessLock probe(db_path);
  // The folder first: who comes by another path shall hear that it is in use, not what lies beside that path.
  if (absl::Status s = probe.TakeFolder(); !s.ok() && !absl::IsNotFound(s)) return s;
  absl::Status status = probe.TakeFile(0);
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

}  // namespace consent::store
