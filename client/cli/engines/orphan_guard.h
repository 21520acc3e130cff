// Ends what a worker's commands go on doing where the worker itself dies without a chance to end them.
#pragma once

#include <sys/types.h>

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/files.h"

namespace consent::cli {

// A process of its own that knows the process groups of the commands that run. When this process ends, however it ends,
// it kills those that are left and ends, too. Add and Remove are thread-safe.
class OrphanGuard {
 public:
  // Forks: call it before this process has other threads. Unavailable: there is no such process or pipe to be had.
  static absl::StatusOr<std::unique_ptr<OrphanGuard>> Start();
  // Waits until its process has ended. No command may run any more.
  ~OrphanGuard();
  OrphanGuard(const OrphanGuard&) = delete;
  OrphanGuard& operator=(const OrphanGuard&) = delete;

  void Add(pid_t group) const;
  // Before the group's first process is reaped: until then its number is nobody else's.
  void Remove(pid_t group) const;

 private:
  OrphanGuard(pid_t guard, Descriptor groups) : guard_(guard), groups_(std::move(groups)) {}
  void Tell(pid_t group) const;

  const pid_t guard_;
  Descriptor groups_;
};

}  // namespace consent::cli
