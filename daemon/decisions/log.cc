#include "daemon/decisions/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/decisions/log_folder.h"

namespace consent::decisions {
namespace {

// What a burst grew is given back.
constexpr size_t kKeptBuffer = size_t{4} << 20;

}  // namespace

Disk Disk::System() {
  return {.write = [](int fd, const char* bytes, size_t size) { return ::write(fd, bytes, size); },
          .truncate = [](int fd, off_t size) { return ::ftruncate(fd, size); },
          .sync = [](int fd) { return ::fdatasync(fd); }};
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

bool Log::Queue(std::string* body, Done* done) {
  bool wakes = false;
  {
    base::MutexLock lock(mutex_);
    if (stopping_ || waiting_.size() >= options_.max_waiting ||
        waiting_bytes_ + body->size() > options_.max_waiting_bytes) {
      ++counts_.refused_full;
      return false;
    }
    waiting_bytes_ += body->size();
    waiting_.push_back({std::move(*body), std::move(*done)});
    wakes = std::exchange(is_idle_, false);
  }
  if (wakes) wake_.NotifyOne();
  return true;
}

void Log::Append(std::string body, Done done) {
  if (!Queue(&body, &done)) done(false);
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
  std::deque<Waiting> group;
  for (;;) {
    {
      base::MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) {
        is_idle_ = true;
        wake_.Wait(mutex_);
      }
      is_idle_ = false;
      if (waiting_.empty()) return;
      group.swap(waiting_);
      waiting_bytes_ = 0;
    }
    uint64_t bytes = 0;
    const absl::Status written = Write(group, &bytes);
    {
      base::MutexLock lock(mutex_);
      health_ = written;
      counts_.bytes += bytes;
      (written.ok() ? counts_.records : counts_.refused_write) += group.size();
    }
    for (Waiting& waiting : group) waiting.done(written.ok());
    group.clear();
  }
}

absl::Status Log::Ready() {
  struct stat info {};
  // A file that was deleted under the log keeps nothing.
  if (file_.ok() && (fstat(file_.fd(), &info) != 0 || info.st_nlink == 0)) file_ = base::FileDescriptor();
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

absl::Status Log::Write(const std::deque<Waiting>& group, uint64_t* bytes) {
  base::MutexLock lock(file_mutex_);
  if (absl::Status status = Ready(); !status.ok()) return status;
  buffer_.clear();
  Position end = end_;
  for (const Waiting& waiting : group) {
    const std::string head = RecordHead(end.count + 1, end.hash);
    end = {end.count + 1, RecordHash(head, waiting.body)};
    buffer_.append(head).append(waiting.body).append(1, '\n');
  }
  if (absl::Status status = WriteWhole(buffer_); !status.ok()) {
    // At once, so that a copy of the file has no record whose yes was not said; what fails here is done before the
    // next.
    if (is_torn_ && options_.disk.truncate(file_.fd(), static_cast<off_t>(size_)) == 0) is_torn_ = false;
    return status;
  }
  is_torn_ = false;
  size_ += buffer_.size();
  end_ = end;
  *bytes = buffer_.size();
  if (buffer_.capacity() > kKeptBuffer) buffer_ = std::string();
  return absl::OkStatus();
}

absl::StatusOr<Position> Log::Sync() {
  Position end;
  base::FileDescriptor file;
  bool folder_synced = true;
  {
    base::MutexLock lock(file_mutex_);
    end = end_;
    if (!file_.ok()) return end;
    file = base::FileDescriptor(fcntl(file_.fd(), F_DUPFD_CLOEXEC, 0));
    if (!file.ok()) return base::FileError("the decision log: cannot sync", errno);
    folder_synced = std::exchange(folder_synced_, true);
  }
  // Without the lock: records go on meanwhile.
  absl::Status status;
  if (options_.disk.sync(file.fd()) != 0) status = base::FileError("the decision log: cannot sync a file", errno);
  if (status.ok() && !folder_synced) {
    const base::FileDescriptor folder(open(options_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.ok() || fsync(folder.fd()) != 0) {
      status = base::FileError("the decision log: cannot sync the folder", errno);
    }
  }
  if (status.ok()) return end;
  base::MutexLock lock(file_mutex_);
  folder_synced_ = folder_synced_ && folder_synced;
  return status;
}

}  // namespace consent::decisions
