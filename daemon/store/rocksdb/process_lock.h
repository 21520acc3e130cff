// One process at a time in a database folder. Internal to this folder.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/file.h"

namespace consent::store {

// Keeps other processes, and other stores of this one, away from a database folder. Released with the object. Two
// locks: the file
// `<db_path>.lock` guards a creation too, and the folder's own lock is found by whatever path somebody comes (links,
// bind mounts).
class ProcessLock {
 public:
  // Makes the lock file. FailedPrecondition: somebody else holds a lock, or something that is not ours lies in the
  // file's place.
  static absl::StatusOr<std::unique_ptr<ProcessLock>> Take(const std::string& db_path);
  // Locks the folder that a creation has put in place since.
  absl::Status TakeFolder();
  // As Take, but keeps nothing and makes nothing.
  static absl::Status Probe(const std::string& db_path);

 private:
  explicit ProcessLock(std::string db_path) : db_path_(std::move(db_path)) {}
  absl::Status TakeFile(int more_flags);
  const std::string db_path_;
  base::FileDescriptor file_;
  base::FileDescriptor folder_;
};

}  // namespace consent::store
