// A journal's folder, as the one process has it that appends to it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/file.h"
#include "daemon/journal/entry.h"

namespace consent::journal {

// What the folder asks of the system, so that tests can let it fail.
struct Disk {
  // As the calls of those names.
  std::function<ssize_t(int fd, const char* bytes, size_t size, off_t at)> pwrite;
  std::function<int(int fd, off_t size)> truncate;
  std::function<int(int fd)> sync;
  static Disk System();
};

// Appends entries, each group of them as one frame that is synced before Append returns. Not thread-safe.
class Folder {
 public:
  struct Options {
    std::string path;
    base::Bytes16 store_id{};
    base::Bytes16 public_key{};                // fingerprint; zero: no ids are sealed
    uint64_t file_bytes = uint64_t{64} << 20;  // a file that has as many gets no further frame
    Disk disk = Disk::System();
  };

  // Makes the folder (mode 0750) where it is missing, the one above it has to be there, and goes on where its journal
  // ends: what a killed process left of a write that nobody had an answer to is cut off. A folder without a journal
  // gets one that begins behind `begin`, which has a head for each partition.
  // FailedPrecondition: no folder, not this user's, or open to others' writing; the journal is of another store, number
  // of partitions or format. DataLoss: the newest file is damaged before its end, or its predecessor is missing. Others
  // as base::FileError. Only the newest file is read.
  static absl::StatusOr<std::unique_ptr<Folder>> Open(Options options, const std::vector<store::Head>& begin);

  // The journal was begun by Open.
  bool is_new() const { return is_new_; }
  // Bytes that Open cut off.
  uint64_t cut_bytes() const { return cut_bytes_; }
  // Per partition, the highest that is in the journal, and durable.
  const std::vector<store::Head>& heads() const { return heads_; }
  // Of all files, since Open and as they were then.
  uint64_t bytes() const { return bytes_; }

  // Durable on return, or an error and nothing of it is there: the next call goes on as if this one had not been.
  // Entries of commits go on where the partition's head stands; a snapshot that does not end in this call is the
  // first in it and goes on in the next. At most kMaxFrameBytes with all that belongs to them: InvalidArgument. Else as
  // base::FileError.
  absl::Status Append(const std::vector<Entry>& entries);
  // The next frame begins another file, unless the present one has none.
  void BeginFile() { wants_file_ = wants_file_ || !is_empty_; }
  // Removes the oldest files of which every entry is at or below `heads`, one per partition; the newest always stays.
  // The number removed. FailedPrecondition: a head has another chain than the journal at that place. Else as Open.
  absl::StatusOr<size_t> PruneUpTo(const std::vector<store::Head>& heads);

 private:
  explicit Folder(Options options) : options_(std::move(options)) {}
  absl::Status OpenNewest(uint64_t number);
  absl::Status BeginNext();
  absl::Status WriteFrame(std::string_view held);
  absl::Status CutOff();
  absl::Status SyncFolder() const;
  bool NeedsFile() const;

  const Options options_;
  bool is_new_ = false;
  uint64_t cut_bytes_ = 0;
  std::vector<store::Head> heads_;
  uint64_t bytes_ = 0;
  base::FileDescriptor file_;
  uint64_t number_ = 0;       // of the file
  uint64_t size_ = 0;         // of whole, synced frames in it
  bool is_empty_ = true;      // it has no frame but its beginning
  bool is_torn_ = false;      // bytes behind them are to be cut off first
  bool is_doubtful_ = false;  // a sync failed: nothing more is appended to it
  bool wants_file_ = false;
  bool in_snapshot_ = false;
  uint64_t snapshot_began_ = 0;  // where it is cut off if it comes to no end
};

// The beginnings of the folder's files, in order, for pruning offline. Errors as Folder::Open.
absl::StatusOr<std::vector<FileHeader>> ReadHeaders(const std::string& folder);
// How many of the oldest files have nothing beyond `heads`. FailedPrecondition as Folder::PruneUpTo.
absl::StatusOr<size_t> CountPrunable(const std::vector<FileHeader>& files, const std::vector<store::Head>& heads);
// Removes the files of the headers' first `count` numbers and makes that durable. Errors as base::FileError.
absl::Status RemoveFiles(const std::string& folder, const std::vector<FileHeader>& files, size_t count);

}  // namespace consent::journal
