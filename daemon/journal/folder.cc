#include "daemon/journal/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/base/own_folder.h"
#include "daemon/journal/frame.h"
#include "daemon/journal/reader.h"

namespace consent::journal {
namespace {

constexpr mode_t kFileMode = 0640;

absl::Status Failed(const char* what, const std::string& path) {
  return base::FileError(absl::StrCat("the journal: cannot ", what, " ", path), errno);
}

}  // namespace

Disk Disk::System() {
  return {.pwrite = [](int fd, const char* bytes, size_t size, off_t at) { return ::pwrite(fd, bytes, size, at); },
          .truncate = [](int fd, off_t size) { return ::ftruncate(fd, size); },
          .sync = [](int fd) { return ::fdatasync(fd); }};
}

absl::StatusOr<std::vector<FileHeader>> ReadHeaders(const std::string& folder) {
  const absl::StatusOr<std::vector<uint64_t>> numbers = ListFiles(folder);
  if (!numbers.ok()) return numbers.status();
  std::vector<FileHeader> headers;
  for (const uint64_t number : *numbers) {
    absl::StatusOr<FrameReader> frames = FrameReader::Open(folder, number);
    if (!frames.ok()) return frames.status();
    const absl::StatusOr<std::optional<std::string>> frame = frames->Next();
    if (!frame.ok()) return frame.status();
    if (!frame->has_value() && number == numbers->back()) break;  // it was about to be begun
    FileHeader header;
    if (!frame->has_value() || !DecodeFileHeader(**frame, &header) || header.number != number) {
      return absl::FailedPreconditionError(absl::StrCat("the journal: ", folder, "/", FileName(number),
                                                        " is of another format, or damaged at its beginning"));
    }
    headers.push_back(std::move(header));
  }
  return headers;
}

absl::StatusOr<size_t> CountPrunable(const std::vector<FileHeader>& files, const std::vector<store::Head>& heads) {
  size_t count = 0;
  for (; count + 1 < files.size(); ++count) {
    const std::vector<store::Head>& ends = files[count + 1].heads;
    if (ends.size() != heads.size()) {
      return absl::FailedPreconditionError("the journal: its store has another number of partitions");
    }
    for (size_t p = 0; p < heads.size(); ++p) {
      if (ends[p].stamp.sequence > heads[p].stamp.sequence) return count;
      if (ends[p].stamp.sequence == heads[p].stamp.sequence && ends[p].chain != heads[p].chain) {
        return absl::FailedPreconditionError(
            absl::StrCat("the journal: partition ", p, " has another history at ", heads[p].stamp.sequence,
                         " than what it is to be pruned by: they are not of the same store; nothing was removed"));
      }
    }
  }
  return count;
}

absl::Status RemoveFiles(const std::string& folder, const std::vector<FileHeader>& files, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const std::string path = absl::StrCat(folder, "/", FileName(files[i].number));
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return Failed("remove", path);
  }
  return count == 0 ? absl::OkStatus() : base::SyncFolder(folder);
}

absl::StatusOr<std::unique_ptr<Folder>> Folder::Open(Options options, const std::vector<store::Head>& begin) {
  if (absl::Status status = base::PrepareOwnFolder("the journal", options.path); !status.ok()) return status;
  std::unique_ptr<Folder> folder(new Folder(std::move(options)));
  const absl::StatusOr<std::vector<FileHeader>> headers = ReadHeaders(folder->options_.path);
  if (!headers.ok()) return headers.status();
  for (const FileHeader& header : *headers) {
    if (header.store_id == folder->options_.store_id && header.heads.size() == begin.size()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the journal: ", folder->options_.path, "/", FileName(header.number),
                     " is of another store: name the folder that goes with this one, or an empty one to begin another "
                     "journal"));
  }
  if (headers->empty()) {
    folder->is_new_ = true;
    folder->heads_ = begin;
    // One that was killed before its beginning was written.
    unlink(absl::StrCat(folder->options_.path, "/", FileName(1)).c_str());
    if (absl::Status status = folder->BeginNext(); !status.ok()) return status;
    return folder;
  }
  if (absl::Status status = folder->OpenNewest(headers->back().number); !status.ok()) return status;
  return folder;
}

absl::Status Folder::OpenNewest(uint64_t number) {
  const std::string path = absl::StrCat(options_.path, "/", FileName(number));
  // One that was killed before its beginning was written.
  unlink(absl::StrCat(options_.path, "/", FileName(number + 1)).c_str());
  const VisitEntry nothing;
  const absl::StatusOr<Contents> newest = ReadNewest(options_.path, number, nothing);
  if (!newest.ok()) return newest.status();
  file_ = base::FileDescriptor(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (!file_.ok() || fstat(file_.fd(), &info) != 0) return Failed("open", path);
  number_ = number;
  size_ = newest->bytes;
  heads_ = newest->last;
  is_empty_ = newest->entries == 0;
  cut_bytes_ = newest->torn_bytes;
  is_torn_ = cut_bytes_ != 0;
  // The process before may not have come to its sync, and what comes next is to stand on it.
  if (absl::Status status = CutOff(); !status.ok()) return status;
  if (options_.disk.sync(file_.fd()) != 0) return Failed("sync", path);
  if (newest->public_keys.front() != options_.public_key) wants_file_ = true;
  const absl::StatusOr<std::vector<uint64_t>> numbers = ListFiles(options_.path);
  if (!numbers.ok()) return numbers.status();
  for (const uint64_t other : *numbers) {
    struct stat of_other {};
    if (stat(absl::StrCat(options_.path, "/", FileName(other)).c_str(), &of_other) == 0) {
      bytes_ += static_cast<uint64_t>(of_other.st_size);
    }
  }
  return base::SyncFolder(options_.path);
}

bool Folder::NeedsFile() const {
  if (in_snapshot_) return false;
  return is_doubtful_ || wants_file_ || (!is_empty_ && size_ >= options_.file_bytes);
}

absl::Status Folder::CutOff() {
  if (!is_torn_) return absl::OkStatus();
  if (options_.disk.truncate(file_.fd(), static_cast<off_t>(size_)) != 0) {
    return Failed("cut off what was written in part of a file in", options_.path);
  }
  is_torn_ = false;
  return absl::OkStatus();
}

absl::Status Folder::BeginNext() {
  // What the file before holds is durable already: each frame was synced.
  const std::string path = absl::StrCat(options_.path, "/", FileName(number_ + 1));
  base::FileDescriptor file(
      open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kFileMode));
  if (!file.ok()) return Failed("begin", path);
  std::string held;
  EncodeFileHeader({options_.store_id, number_ + 1, options_.public_key, heads_}, &held);
  std::string frame;
  AppendFrame(number_ + 1, 0, held, &frame);
  const ssize_t written = options_.disk.pwrite(file.fd(), frame.data(), frame.size(), 0);
  if (written != static_cast<ssize_t>(frame.size())) {
    if (written >= 0) errno = ENOSPC;
    absl::Status status = Failed("begin", path);
    unlink(path.c_str());
    return status;
  }
  absl::Status status;
  if (fchmod(file.fd(), kFileMode) != 0 || options_.disk.sync(file.fd()) != 0) status = Failed("begin", path);
  if (status.ok()) status = base::SyncFolder(options_.path);
  if (!status.ok()) {
    unlink(path.c_str());
    return status;
  }
  file_ = std::move(file);
  ++number_;
  size_ = frame.size();
  bytes_ += frame.size();
  is_empty_ = true;
  is_torn_ = false;
  is_doubtful_ = false;
  wants_file_ = false;
  return absl::OkStatus();
}

absl::Status Folder::WriteFrame(std::string_view held) {
  if (absl::Status status = CutOff(); !status.ok()) return status;
  std::string frame;
  frame.reserve(held.size() + kFrameOverhead);
  AppendFrame(number_, size_, held, &frame);
  for (size_t done = 0; done < frame.size();) {
    const ssize_t written =
        options_.disk.pwrite(file_.fd(), frame.data() + done, frame.size() - done, static_cast<off_t>(size_ + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      if (written == 0) errno = ENOSPC;
      absl::Status status = Failed("write to a file in", options_.path);
      is_torn_ = true;
      CutOff().IgnoreError();  // else before the next frame
      return status;
    }
    is_torn_ = true;
    done += static_cast<size_t>(written);
  }
  if (options_.disk.sync(file_.fd()) != 0) {
    absl::Status status = Failed("sync a file in", options_.path);
    // Pages may count as written that are not: nothing more is appended to this file.
    is_doubtful_ = true;
    return status;
  }
  is_torn_ = false;
  size_ += frame.size();
  bytes_ += frame.size();
  is_empty_ = false;
  return absl::OkStatus();
}

absl::Status Folder::Append(const std::vector<Entry>& entries) {
  if (is_doubtful_) {
    // What was synced before stays; what was not goes, durably, before another file stands behind it.
    if (in_snapshot_) {
      size_ = snapshot_began_;
      in_snapshot_ = false;
    }
    is_torn_ = true;
    if (absl::Status status = CutOff(); !status.ok()) return status;
    if (options_.disk.sync(file_.fd()) != 0) return Failed("sync a file in", options_.path);
  }
  std::string held;
  std::string bytes;
  for (const Entry& entry : entries) {
    bytes.clear();
    EncodeEntry(entry, &bytes);
    if (bytes.size() > kMaxEntryBytes) return absl::InvalidArgumentError("the journal: an entry is over its bound");
    JoinEntry(bytes, &held);
  }
  if (held.size() > kMaxFrameBytes) return absl::InvalidArgumentError("the journal: a record is over its bound");
  if (in_snapshot_ && (entries.empty() || entries.front().kind != EntryKind::kSnapshot || entries.front().is_first)) {
    // The one before came to no end.
    size_ = snapshot_began_;
    is_torn_ = true;
    in_snapshot_ = false;
  }
  if (entries.empty()) return CutOff();
  if (entries.back().kind == EntryKind::kSnapshot && !entries.back().is_last &&
      (entries.front().kind != EntryKind::kSnapshot || entries.front().partition != entries.back().partition ||
       entries.front().is_first != !in_snapshot_)) {
    return absl::InvalidArgumentError("the journal: a snapshot that does not end here begins behind something else");
  }
  if (NeedsFile()) {
    if (absl::Status status = BeginNext(); !status.ok()) return status;
  }
  const uint64_t began = size_;
  if (absl::Status status = WriteFrame(held); !status.ok()) return status;
  if (entries.back().kind == EntryKind::kSnapshot && !entries.back().is_last) {
    if (!in_snapshot_) snapshot_began_ = began;
    in_snapshot_ = true;
  } else {
    in_snapshot_ = false;
  }
  for (const Entry& entry : entries) {
    if (entry.kind == EntryKind::kCommit) heads_[entry.partition.number] = store::Head{entry.stamp, entry.chain};
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> Folder::PruneUpTo(const std::vector<store::Head>& heads) {
  // What a full disk does not let begin now begins with the next frame: there is room then.
  if (wants_file_ && !in_snapshot_ && !is_doubtful_) BeginNext().IgnoreError();
  const absl::StatusOr<std::vector<FileHeader>> headers = ReadHeaders(options_.path);
  if (!headers.ok()) return headers.status();
  const absl::StatusOr<size_t> count = CountPrunable(*headers, heads);
  if (!count.ok()) return count.status();
  uint64_t removed = 0;
  for (size_t i = 0; i < *count; ++i) {
    struct stat info {};
    const std::string path = absl::StrCat(options_.path, "/", FileName((*headers)[i].number));
    if (stat(path.c_str(), &info) == 0) removed += static_cast<uint64_t>(info.st_size);
  }
  if (absl::Status status = RemoveFiles(options_.path, *headers, *count); !status.ok()) return status;
  bytes_ -= std::min(bytes_, removed);
  return *count;
}

}  // namespace consent::journal
