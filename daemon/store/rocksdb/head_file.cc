#include "daemon/store/rocksdb/head_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/store/limits.h"

namespace consent::store {
namespace {

constexpr std::string_view kMagic = "CONSHD02";
constexpr size_t kChecksumBytes = 32;
constexpr size_t kSlotBytes = 64 << 10;  // holds 1024 partitions; slots of a fixed place need no length to be found
constexpr size_t kClockBytes = 16 + 5 * 8 + 1;
static_assert(8 + 16 + 8 + 8 + kClockBytes + 2 + kMaxPartitions * (8 + 8 + 32) + kChecksumBytes <= kSlotBytes);

void PutClock(base::Encoder& encoder, const base::ClockRecord& clock) {
  encoder.Raw(base::View(clock.boot_id));
  for (const int64_t micros : {clock.read.boot.micros, clock.read.wall.micros, clock.offset.micros,
                               clock.last_trusted.micros, clock.doubtful_since.micros}) {
    encoder.BigEndian(static_cast<uint64_t>(micros), 8);
  }
  encoder.Byte(clock.settled ? 1 : 0);
}

base::ClockRecord GetClock(base::Decoder& decoder) {
  base::ClockRecord clock;
  clock.boot_id = decoder.Array<16>();
  for (int64_t* micros : {&clock.read.boot.micros, &clock.read.wall.micros, &clock.offset.micros,
                          &clock.last_trusted.micros, &clock.doubtful_since.micros}) {
    *micros = static_cast<int64_t>(decoder.BigEndian(8));
  }
  clock.settled = decoder.Byte() == 1;
  return clock;
}

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

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("cannot open the folder of", path);
  const bool synced = fsync(fd) == 0;
  absl::Status status = synced ? absl::OkStatus() : Failed("cannot sync the folder of", path);
  close(fd);
  return status;
}

}  // namespace

std::string EncodeHeadRecord(const HeadRecord& record) {
  std::string bytes;
  bytes.reserve(kMagic.size() + 34 + kClockBytes + record.heads.size() * 48 + kChecksumBytes);
  base::Encoder encoder(&bytes);
  encoder.Raw(kMagic);
  encoder.Raw(base::View(record.store_id));
  encoder.BigEndian(record.generation, 8);
  encoder.BigEndian(record.position, 8);
  PutClock(encoder, record.clock);
  encoder.BigEndian(record.heads.size(), 2);
  for (const Head& head : record.heads) {
    encoder.BigEndian(head.stamp.sequence, 8);
    encoder.BigEndian(static_cast<uint64_t>(head.stamp.time.micros), 8);
    encoder.Raw(base::View(head.chain));
  }
  const base::Digest checksum = base::Blake2b(bytes);
  encoder.Raw(base::View(checksum));
  return bytes;
}

std::optional<HeadRecord> DecodeHeadRecord(std::string_view slot) {
  base::Decoder decoder(slot);
  HeadRecord record;
  const std::string_view magic = decoder.Raw(kMagic.size());
  record.store_id = decoder.Array<16>();
  record.generation = decoder.BigEndian(8);
  record.position = decoder.BigEndian(8);
  record.clock = GetClock(decoder);
  const uint64_t partitions = decoder.BigEndian(2);
  if (!decoder.ok() || magic != kMagic || partitions == 0 || partitions > kMaxPartitions) return std::nullopt;
  for (uint64_t i = 0; i < partitions; ++i) {
    Head head;
    head.stamp.sequence = decoder.BigEndian(8);
    head.stamp.time.micros = static_cast<int64_t>(decoder.BigEndian(8));
    head.chain = decoder.Array<32>();
    record.heads.push_back(head);
  }
  const std::string_view checked = slot.substr(0, slot.size() - decoder.remaining());
  const base::Digest checksum = decoder.Array<32>();
  if (!decoder.ok() || checksum != base::Blake2b(checked)) return std::nullopt;
  return record;
}

absl::StatusOr<std::optional<HeadRecord>> HeadFile::Read(const std::string& path) {
  absl::StatusOr<base::FileDescriptor> opened = base::OpenRegular("head file", path, base::Links::kRefuse);
  if (absl::IsNotFound(opened.status())) return std::nullopt;
  if (!opened.ok()) return opened.status();
  if (absl::Status s = base::CheckPrivate(opened->fd(), "head file", path); !s.ok()) return s;
  absl::StatusOr<std::string> bytes = base::ReadBounded(opened->fd(), "head file", path, 2 * kSlotBytes);
  if (absl::IsInvalidArgument(bytes.status())) {
    return absl::DataLossError("head file " + path + " is damaged: it is longer than any");
  }
  if (!bytes.ok()) return bytes.status();
  const std::string_view file = *bytes;
  std::optional<HeadRecord> newest = DecodeHeadRecord(file.substr(0, kSlotBytes));
  if (file.size() > kSlotBytes) {
    std::optional<HeadRecord> second = DecodeHeadRecord(file.substr(kSlotBytes));
    if (second && (!newest || second->generation > newest->generation)) newest = std::move(second);
  }
  if (!newest) return absl::DataLossError("head file " + path + " is damaged: it holds no whole record");
  return newest;
}

absl::StatusOr<std::unique_ptr<HeadFile>> HeadFile::Replace(const std::string& path, const HeadRecord& record) {
  const std::string fresh = path + ".new";
  // What a crash left goes; what a link of that name leads to is not touched.
  if (unlink(fresh.c_str()) != 0 && errno != ENOENT) return Failed("cannot replace", fresh);
  const int fd = open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("cannot create", fresh);
  std::unique_ptr<HeadFile> file(new HeadFile(path, fd));
  // Both slots at once: the space is taken, and a later flipped bit in one leaves the other.
  const std::string bytes = EncodeHeadRecord(record);
  for (const size_t offset : {size_t{0}, kSlotBytes}) {
    if (absl::Status s = WriteAt(fd, fresh, bytes, offset); !s.ok()) return s;
  }
  if (fsync(fd) != 0) return Failed("cannot sync", fresh);
  if (rename(fresh.c_str(), path.c_str()) != 0) return Failed("cannot put in place", path);
  if (absl::Status s = SyncFolderOf(path); !s.ok()) return s;
  return file;
}

HeadFile::~HeadFile() { close(fd_); }

absl::Status HeadFile::Write(const HeadRecord& record) {
  unsynced_ = true;
  return WriteAt(fd_, path_, EncodeHeadRecord(record), slot_ * kSlotBytes);
}

absl::Status HeadFile::Sync() {
  if (!unsynced_) return absl::OkStatus();
  if (fdatasync(fd_) != 0) return Failed("cannot sync", path_);
  unsynced_ = false;
  slot_ = 1 - slot_;
  return absl::OkStatus();
}

}  // namespace consent::store
