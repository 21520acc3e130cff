// The folder in which a restore makes a store, and how the store takes its place.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/time.h"
#include "daemon/restore/report.h"

namespace consent::restore {

// `<data_dir>.restoring`, which holds nothing that is not a restore's own. Thread-safe; two restores of one place at a
// time are the operator's mistake, and the second one fails at what the first has in use.
class WorkFolder {
 public:
  WorkFolder(std::string data_dir, std::string head_file);

  // The backup's files; they become the store, with its head file beside it.
  std::string copy() const { return path_ + "/copy"; }
  std::string store() const { return path_ + "/store"; }
  std::string head() const { return path_ + "/head"; }

  // An earlier run made all of the store: Publish is what is left.
  absl::StatusOr<bool> IsMade() const;
  // FailedPrecondition: the store's place or its head file's is taken, and what to do.
  absl::Status CheckRoom() const;
  // Removes what an earlier run left, and makes the folder, mode 0700.
  absl::Status Begin() const;
  // Says that all is made, and what was done: counts and times, durably.
  absl::Status WriteReport(const Report& report, base::Instant now) const;
  // Moves the report to `<data_dir>.restored`, the store to its place, and then the head file, without which a daemon
  // refuses the store; then the folder goes. Each durably, and each done already is left as it is.
  absl::Status Publish() const;

 private:
  std::string report() const { return path_ + "/report"; }
  const std::string data_dir_;
  const std::string head_file_;
  const std::string path_;
};

}  // namespace consent::restore
