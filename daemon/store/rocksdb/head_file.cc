#include "daemon/store/rocksdb/head_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "daemon/base/file.h"
#include "daemon/base/own_folder.h"
#include "daemon/store/rocksdb/rows.h"

namespace consent::store {
namespace {

absl::Status Failed(const char* what, const std::string& path) {
  return base::FileError(std::string(what) + " head file " + path, errno);
}

absl::Status WriteAt(int fd, const std::string& path, std::string_view bytes, size_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Failed("cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<HeadRecord>> HeadFile::Read(const std::string& path) {
  absl::StatusOr<base::FileDescriptor> opened = base::OpenRegular("head file", path, base::Links::kRefuse);
  if (absl::IsNotFound(opened.status())) return std::nullopt;
  if (!opened.ok()) return opened.status();
  if (absl::Status s = base::CheckPrivate(opened->fd(), "head file", path); !s.ok()) return s;
  absl::StatusOr<std::string> bytes = base::ReadBounded(opened->fd(), "head file", path, 2 * kHeadSlotBytes);
  if (absl::IsInvalidArgument(bytes.status())) {
    return absl::DataLossError("head file " + path + " is damaged: it is longer than any");
  }
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<HeadRecord> record = FindNewestHeads(*bytes);
  if (record.ok()) return *std::move(record);
  if (!absl::IsDataLoss(record.status())) return AnotherFormat("the head file " + path);
  return absl::DataLossError("head file " + path + " is damaged: " + std::string(record.status().message()));
}

absl::StatusOr<std::unique_ptr<HeadFile>> HeadFile::Replace(const std::string& path, const HeadRecord& record) {
  const std::string fresh = path + ".new";
  // What a crash left goes; what a link of that name leads to is not touched.
  if (unlink(fresh.c_str()) != 0 && errno != ENOENT) return Failed("cannot replace", fresh);
  const int fd = open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("cannot create", fresh);
  std::unique_ptr<HeadFile> file(new HeadFile(path, fd, record.generation));
  // Both slots at once: the space is taken, and a later flipped bit in one leaves the other.
  std::string bytes = EncodeHeadRecord(record);
  bytes.resize(kHeadSlotBytes);
  for (const size_t offset : {size_t{0}, kHeadSlotBytes}) {
    if (absl::Status s = WriteAt(fd, fresh, bytes, offset); !s.ok()) return s;
  }
  if (fsync(fd) != 0) return Failed("cannot sync", fresh);
  if (rename(fresh.c_str(), path.c_str()) != 0) return Failed("cannot put in place", path);
  if (absl::Status s = base::SyncFolderOf(path); !s.ok()) return s;
  return file;
}

HeadFile::~HeadFile() { close(fd_); }

absl::Status HeadFile::WriteWhole(const HeadRecord& record) {
  whole_ = record.generation;
  moves_bytes_ = 0;
  return WriteAt(fd_, path_, EncodeHeadRecord(record), slot_ * kHeadSlotBytes);
}

absl::Status HeadFile::Write(const HeadRecord& record, const std::vector<Partition>& moved) {
  const size_t bytes = HeadMovesBytes(moved.size());
  const bool is_much_less = 2 * bytes < HeadRecordBytes(record.heads.size());
  if (whole_ == 0 || !is_much_less || moves_bytes_ + bytes > kHeadMovesBytes) return WriteWhole(record);
  HeadMoves moves;
  moves.generation = record.generation;
  moves.position = record.position;
  moves.heads.reserve(moved.size());
  for (const Partition partition : moved) moves.heads.emplace_back(partition, record.heads[partition.number]);
  const size_t offset = slot_ * kHeadSlotBytes + kHeadWholeBytes + moves_bytes_;
  moves_bytes_ += bytes;
  return WriteAt(fd_, path_, EncodeHeadMoves(record.store_id, moves), offset);
}

absl::Status HeadFile::Sync(const HeadRecord& record) {
  if (durable_ == record.generation) return absl::OkStatus();
  if (whole_ != record.generation) {
    if (absl::Status s = WriteWhole(record); !s.ok()) return s;
  }
  if (fdatasync(fd_) != 0) return Failed("cannot sync", path_);
  durable_ = record.generation;
  slot_ = 1 - slot_;
  whole_ = 0;
  moves_bytes_ = 0;
  return absl::OkStatus();
}

}  // namespace consent::store
