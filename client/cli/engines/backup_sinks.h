// Where a backup goes: a folder that lasts, or a tar stream for restic, borg or age.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/engines/backup_take.h"
#include "client/cli/files.h"

namespace consent::cli {

// How the folder of a backup ends while it is being written.
inline constexpr std::string_view kPartialEnding = ".partial";

// `parent`/`name`.partial until Finish, which syncs every file and folder and then gives it its name. Not thread-safe.
class FolderSink final : public BackupSink {
 public:
  // FailedPrecondition: `parent` is no folder, or cannot be written. Holds a lock on the folder as long as it lives, by
  // which RemoveAbandoned tells it from one whose writer was killed.
  static absl::StatusOr<std::unique_ptr<FolderSink>> Create(const std::string& parent, const std::string& name);
  // Removes what is not finished.
  ~FolderSink() override;
  const std::string& place() const { return place_; }

  absl::Status BeginFile(const std::string& name, int64_t bytes) override;
  absl::Status Write(std::string_view data) override;
  absl::Status EndFile() override;
  absl::Status Finish() override;

 private:
  FolderSink(std::string place, Descriptor folder)
      : place_(std::move(place)), partial_(place_ + std::string(kPartialEnding)), folder_(std::move(folder)) {}
  const std::string place_;
  const std::string partial_;
  Descriptor folder_;
  std::string path_;  // of the file that is being written
  Descriptor file_;
  bool is_finished_ = false;
};

// A POSIX (ustar) stream on `descriptor`, with `name` as its folder. Not thread-safe.
class TarSink final : public BackupSink {
 public:
  TarSink(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  absl::Status BeginFile(const std::string& name, int64_t bytes) override;
  absl::Status Write(std::string_view data) override;
  absl::Status EndFile() override;
  absl::Status Finish() override;

 private:
  const int descriptor_;
  const std::string name_;
  uint64_t written_ = 0;  // of this file
};

// Removes folders of backups in `parent` whose writer was killed; returns how many. What it cannot tell, it leaves.
int RemoveAbandoned(const std::string& parent);

}  // namespace consent::cli
