// A Unix socket that only the daemon's user can reach, and that shows up only once the daemon's health can be asked.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace consent::app {

// gRPC listens under another name first; Publish gives the socket its own in one step, over what a crashed daemon left. So nobody
// connects before the health service says "not serving", and nobody finds a socket missing while it is replaced.
// Not thread-safe. Made while the store's lock is held.
class UnixSocket {
 public:
  // `path` is absolute. Makes its folder with mode 0700 where it is missing; the folder's parent must be there.
  // FailedPrecondition: the folder is not ours or open to others, something else than a socket has the name, or a living process
  // answers there. Unavailable: the file system's errors.
  static absl::StatusOr<UnixSocket> Prepare(const std::string& path);

  // What gRPC is to listen on.
  std::string bind_address() const { return "unix:" + bind_path_; }
  absl::Status Publish();
  // Takes the name away, if Publish gave it. Idempotent.
  void Remove();

 private:
  explicit UnixSocket(std::string path) : path_(std::move(path)), bind_path_(path_ + ".start") {}
  std::string path_;
  std::string bind_path_;
  bool published_ = false;
};

}  // namespace consent::app
