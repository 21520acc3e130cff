// A Unix socket that only the daemon's user, or a group beside it, can reach, that no living daemon loses to another
// one, and that shows up only once the daemon's health can be asked.
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace consent::app {

// It listens under another name first; Publish gives the socket its own in one step, over what a crashed daemon left.
// So nobody connects before the health service says "not serving", and nobody finds a socket missing while it is
// replaced. A lock beside the socket keeps two daemons from doing this at once. Movable. Not thread-safe.
class UnixSocket {
 public:
  // `path` is an ops::Address's. Makes its folder with mode 0700 where it is missing; the folder's parent must be
  // there. With a `group` the folder is the group's to enter (0750, or 2750) and the socket the group's to write
  // (0660). FailedPrecondition: there is no such group, the folder is not ours or open to others, something else than a
  // socket has the name, or a living process holds the lock or answers there. Else the system's errors as
  // base::FileError has them.
  static absl::StatusOr<UnixSocket> Listen(const std::string& path, const std::string& group, int backlog);
  // As Remove, and closes the lock; not the listening descriptor once it was released.
  ~UnixSocket();
  UnixSocket(UnixSocket&& other) noexcept;
  UnixSocket& operator=(UnixSocket&& other) = delete;

  // The listening descriptor, which does not block. The caller closes it from here on.
  int Release();
  absl::Status Publish();
  // Takes the name away, unless it has become another socket's, and the lock. Idempotent.
  void Remove();

 private:
  UnixSocket(std::string path, gid_t group) : path_(std::move(path)), group_(group) {}
  absl::Status Lock();
  absl::Status Bind(int backlog);

  std::string path_;
  gid_t group_;  // kNoGroup: none
  int lock_ = -1;
  int listener_ = -1;
  bool published_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace consent::app
