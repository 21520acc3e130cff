#include "daemon/decisions/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/base/own_folder.h"
#include "daemon/decisions/log_folder.h"

namespace consent::decisions {
namespace {

// What a burst grew is given back.
constexpr size_t kKeptBuffer = size_t{4} << 20;
constexpr size_t kKeptGroup = 1024;
// Groups of others that whoever wrote his own record writes, too: to wake the log's thread costs more than to write
// one.
constexpr int kMostOthers = 4;
constexpr std::chrono::milliseconds kBetweenLooks{100};
// A line that is longer is not copied together with others, but written by itself.
constexpr size_t kLongLine = size_t{16} << 10;

// To some milliseconds, at a tenth of the cost of the exact time: it only tells a slow write from a quick one.
std::chrono::steady_clock::time_point NowRoughly() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace

Disk Disk::System() {
  return {.write = [](int fd, const char* bytes, size_t size) { return ::write(fd, bytes, size); },
          .truncate = [](int fd, off_t size) { return ::ftruncate(fd, size); },
          .sync = [](int fd) { return ::fdatasync(fd); },
          .release = [](int fd, off_t size) { ::posix_fadvise(fd, 0, size, POSIX_FADV_DONTNEED); },
          .now = NowRoughly};
}

absl::StatusOr<std::unique_ptr<Log>> Log::Open(LogOptions options) {
  if (absl::Status status = PrepareFolder(options.folder); !status.ok()) return status;
  const absl::StatusOr<Position> end = FindEnd(options.folder);
  if (!end.ok()) return end.status();
  Found found;
  found.end = *end;
  if (end->count < options.known.count) {
    found.missing = options.known.count - end->count;
    found.end = options.known;
  }
  found.is_other_chain = end->count == options.known.count && *end != options.known;
  return std::unique_ptr<Log>(new Log(std::move(options), found));
}

Log::Log(LogOptions options, const Found& found)
    : options_(std::move(options)), found_(found), end_(found.end), thread_([this] { Run(); }) {}

Log::~Log() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

Log::Taken Log::Take(Waiting* waiting) {
  base::MutexLock lock(mutex_);
  const size_t bytes = waiting->record.memory_bytes();
  if (stopping_ || waiting_.size() >= options_.max_waiting || waiting_bytes_ + bytes > options_.max_waiting_bytes) {
    ++counts_.refused_full;
    return Taken::kRefused;
  }
  if (!is_writing_ && !is_slow_ && waiting_.empty()) {
    is_writing_ = true;
    return Taken::kToWrite;
  }
  waiting_bytes_ += bytes;
  waiting_.push_back(std::move(*waiting));
  // Whoever writes wakes the thread when it is through.
  if (!is_writing_) wake_.NotifyOne();
  return Taken::kQueued;
}

Record Log::Append(Record record, Done done) {
  Waiting waiting{std::move(record), std::move(done), false};
  switch (Take(&waiting)) {
    case Taken::kQueued:
      break;
    case Taken::kToWrite:
      WriteWithOthers(&waiting);
      break;
    case Taken::kRefused:
      waiting.Answer();
      break;
  }
  return std::move(waiting.record);
}

LogCounts Log::counts() const {
  base::MutexLock lock(mutex_);
  LogCounts counts = counts_;
  counts.waiting = waiting_.size();
  return counts;
}

absl::Status Log::health() const {
  base::MutexLock lock(mutex_);
  return health_;
}

void Log::Run() {
  std::vector<Waiting> group;
  for (;;) {
    {
      base::MutexLock lock(mutex_);
      while (is_writing_ || (waiting_.empty() && !stopping_)) wake_.Wait(mutex_);
      if (waiting_.empty()) return;
      is_writing_ = true;
      group.swap(waiting_);
      waiting_bytes_ = 0;
    }
    WriteGroup(group, nullptr);
    for (Waiting& waiting : group) waiting.Answer();
    if (group.capacity() > kKeptGroup) group = {};
    group.clear();
  }
}

void Log::WriteWithOthers(Waiting* own) {
  std::vector<Waiting> group;
  std::vector<Waiting> others;
  WriteGroup({own, 1}, &group);
  for (int groups = 1; !group.empty(); ++groups) {
    std::vector<Waiting> next;
    WriteGroup(group, groups < kMostOthers ? &next : nullptr);
    others.insert(others.end(), std::make_move_iterator(group.begin()), std::make_move_iterator(group.end()));
    group.swap(next);
  }
  // Only now: others can write meanwhile.
  own->Answer();
  for (Waiting& other : others) other.Answer();
}

void Log::WriteGroup(std::span<Waiting> group, std::vector<Waiting>* next) {
  uint64_t bytes = 0;
  const auto began = options_.disk.now();
  const absl::Status written = Write(group, began, &bytes);
  const bool is_slow = options_.disk.now() - began > options_.slow_write;
  for (Waiting& waiting : group) waiting.on_record = written.ok();
  bool wakes = false;
  {
    base::MutexLock lock(mutex_);
    is_slow_ = is_slow;
    health_ = written;
    counts_.bytes += bytes;
    (written.ok() ? counts_.records : counts_.refused_write) += group.size();
    is_writing_ = next != nullptr && written.ok() && !is_slow && !stopping_ && !waiting_.empty();
    if (is_writing_) {
      next->swap(waiting_);
      waiting_bytes_ = 0;
    } else {
      wakes = stopping_ || !waiting_.empty();
    }
  }
  if (wakes) wake_.NotifyOne();
}

absl::Status Log::Ready(Time now) {
  struct stat info {};
  // A file that was deleted under the log keeps nothing. Whoever deletes it takes what was written before, so that it
  // is soon enough to look now and then. Behind a failure it may be the room that somebody made.
  if (file_.ok() && (has_failed_ || now - looked_at_ > kBetweenLooks)) {
    looked_at_ = now;
    if (fstat(file_.fd(), &info) != 0 || info.st_nlink == 0) file_ = base::FileDescriptor();
  }
  if (file_.ok() && is_torn_) {
    if (options_.disk.truncate(file_.fd(), static_cast<off_t>(size_)) != 0) {
      return base::FileError("the decision log: cannot cut off what was written in part", errno);
    }
    is_torn_ = false;
  }
  const bool is_asked = begins_file_.load() && size_ != 0;
  if (file_.ok() && !is_asked && size_ < options_.file_bytes) return absl::OkStatus();
  begins_file_.store(false);
  absl::StatusOr<base::FileDescriptor> file = OpenFile(options_.folder, end_.count + 1);
  if (!file.ok()) return file.status();
  // What the file before holds is durable before the next one is begun, so that a power cut leaves no gap behind it.
  if (file_.ok() && options_.disk.sync(file_.fd()) != 0) {
    return base::FileError("the decision log: cannot sync a file", errno);
  }
  if (file_.ok()) options_.disk.release(file_.fd(), static_cast<off_t>(size_));
  file_ = *std::move(file);
  size_ = 0;
  is_torn_ = false;
  folder_synced_ = false;
  return absl::OkStatus();
}

absl::Status Log::WriteWhole(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = options_.disk.write(file_.fd(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return base::FileError("the decision log: cannot write", written == 0 ? ENOSPC : errno);
    }
    is_torn_ = true;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status Log::WriteChained(std::span<Waiting> group, Position* end, uint64_t* bytes) {
  buffer_.clear();
  for (Waiting& waiting : group) {
    *end = waiting.record.PutBehind(*end);
    const std::string_view line = waiting.record.line();
    *bytes += line.size();
    if (group.size() > 1 && line.size() < kLongLine) {
      buffer_.append(line);
      continue;
    }
    absl::Status status = WriteWhole(buffer_);
    buffer_.clear();
    if (status.ok()) status = WriteWhole(line);
    if (!status.ok()) return status;
  }
  return WriteWhole(buffer_);
}

absl::Status Log::Write(std::span<Waiting> group, Time now, uint64_t* bytes) {
  base::MutexLock lock(file_mutex_);
  if (absl::Status status = Ready(now); !status.ok()) return status;
  Position end = end_;
  uint64_t size = 0;
  if (absl::Status status = WriteChained(group, &end, &size); !status.ok()) {
    has_failed_ = true;
    // At once, so that a copy of the file has no record whose yes was not said; what fails here is done before the
    // next.
    if (is_torn_ && options_.disk.truncate(file_.fd(), static_cast<off_t>(size_)) == 0) is_torn_ = false;
    return status;
  }
  is_torn_ = has_failed_ = false;
  size_ += size;
  end_ = end;
  *bytes = size;
  if (buffer_.capacity() > kKeptBuffer) buffer_ = std::string();
  return absl::OkStatus();
}

absl::StatusOr<Position> Log::Sync() {
  Position end;
  base::FileDescriptor file;
  bool folder_synced = true;
  off_t size = 0;
  {
    base::MutexLock lock(file_mutex_);
    end = end_;
    size = static_cast<off_t>(size_);
    if (!file_.ok()) return end;
    file = base::FileDescriptor(fcntl(file_.fd(), F_DUPFD_CLOEXEC, 0));
    if (!file.ok()) return base::FileError("the decision log: cannot sync", errno);
    folder_synced = std::exchange(folder_synced_, true);
  }
  // Without the lock: records go on meanwhile.
  absl::Status status;
  if (options_.disk.sync(file.fd()) != 0) status = base::FileError("the decision log: cannot sync a file", errno);
  if (status.ok() && !folder_synced) {
    status = base::SyncFolder(options_.folder);
  }
  if (status.ok()) {
    options_.disk.release(file.fd(), size);
    return end;
  }
  base::MutexLock lock(file_mutex_);
  folder_synced_ = folder_synced_ && folder_synced;
  return status;
}

}  // namespace consent::decisions
