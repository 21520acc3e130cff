// The decision log: what was answered yes is on record before it is said.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/file.h"
#include "daemon/base/mutex.h"
#include "daemon/decisions/record.h"

namespace consent::decisions {

// What the log asks of the system, so that tests can let it fail.
struct Disk {
  // As the calls of those names.
  std::function<ssize_t(int fd, const char* bytes, size_t size)> write;
  std::function<int(int fd, off_t size)> truncate;
  std::function<int(int fd)> sync;
  // The first `size` bytes are synced and need no memory: nobody reads them soon, and the store's files want it.
  std::function<void(int fd, off_t size)> release;
  std::function<std::chrono::steady_clock::time_point()> now;
  static Disk System();
};

struct LogOptions {
  std::string folder;
  // How far the store knows that the log had come.
  Position known = {};
  // A file that has as many bytes gets no further group of records.
  uint64_t file_bytes = uint64_t{256} << 20;
  // Records that wait for the writer; one more is not taken.
  size_t max_waiting = 8192;
  size_t max_waiting_bytes = size_t{32} << 20;
  // Callers of Append write nothing themselves while the last write took longer.
  std::chrono::milliseconds slow_write{10};
  Disk disk = Disk::System();
};

// What was found when the log was opened.
struct Found {
  Position end;                 // where the chain goes on
  uint64_t missing = 0;         // records that the store knows of and the files do not have: cut, or lost
  bool is_other_chain = false;  // the files end where the store says, with another record
};

// Since the log was opened.
struct LogCounts {
  uint64_t records = 0;        // written
  uint64_t bytes = 0;          // of those
  uint64_t refused_full = 0;   // not taken, because too many waited
  uint64_t refused_write = 0;  // taken and not written
  size_t waiting = 0;          // now
};

// Appends records to files of JSON lines. Thread-safe.
//
// Whoever appends while nobody writes, writes his record himself, and then, as groups, what came meanwhile; what comes
// while he does that for long, or while the disk is slow, waits for the log's one thread, which writes all that waits
// as one group. So a disk that hangs holds one caller at the most, and none while it is known to be slow.
//
// A record is on record once write() has taken it whole: a killed process loses none. A power cut may lose what no Sync
// has covered, which is a second's at the most (the daemon syncs each second), and the store then counts no more than
// what is there: it counts what was synced.
class Log {
 public:
  // Called once for each Append, on the log's thread or within this Append or another: whether the record is on record.
  // Must not block for long, because others wait.
  using Done = std::function<void(bool on_record)>;

  // Prepares the folder, finds where its records end and goes on behind them, in a file of its own. Errors of
  // PrepareFolder and FindEnd. A disk that is full is none: the log then refuses records until there is room.
  static absl::StatusOr<std::unique_ptr<Log>> Open(LogOptions options);
  // Writes what waits, then ends.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  const Found& found() const { return found_; }

  // Blocks for the disk only where nobody else writes and the last write was not slow. Returns a record of whose memory
  // nobody has need any more: that which was appended, where it was answered at once.
  Record Append(Record record, Done done) EXCLUDES(file_mutex_, mutex_);
  // Begins another file with the next record: what is in the present one may then be moved away.
  void BeginFile() { begins_file_.store(true); }
  // Makes what is written durable and says how far that reaches; blocks. An error: nothing more is known to be durable.
  absl::StatusOr<Position> Sync() EXCLUDES(file_mutex_, mutex_);

  LogCounts counts() const EXCLUDES(mutex_);
  // Of the last group: OK, or why it was not written.
  absl::Status health() const EXCLUDES(mutex_);

 private:
  struct Waiting {
    Record record;
    Done done;
    bool on_record = false;
    void Answer() const { done(on_record); }
  };
  using Time = std::chrono::steady_clock::time_point;
  enum class Taken { kQueued, kToWrite, kRefused };

  Log(LogOptions options, const Found& found);
  // kQueued: it was taken. kToWrite: the caller writes it, and nobody else writes until then.
  Taken Take(Waiting* waiting) EXCLUDES(mutex_);
  void Run() EXCLUDES(file_mutex_, mutex_);
  // Writes what is the caller's to write, and some of what comes meanwhile, and answers all of it.
  void WriteWithOthers(Waiting* own) EXCLUDES(file_mutex_, mutex_);
  // Writes the group, which is the caller's to write. Where `next` is given and all went well and quickly, what waits
  // is moved there, and is the caller's to write.
  void WriteGroup(std::span<Waiting> group, std::vector<Waiting>* next) EXCLUDES(file_mutex_, mutex_);
  // An error: none of them is on record.
  absl::Status Write(std::span<Waiting> group, Time now, uint64_t* bytes) EXCLUDES(file_mutex_);
  // Puts the records one behind the other, and writes them.
  absl::Status WriteChained(std::span<Waiting> group, Position* end, uint64_t* bytes) REQUIRES(file_mutex_);
  // A file that takes the next record, and holds nothing that was not taken.
  absl::Status Ready(Time now) REQUIRES(file_mutex_);
  absl::Status WriteWhole(std::string_view bytes) REQUIRES(file_mutex_);

  const LogOptions options_;
  const Found found_;

  base::Mutex file_mutex_;
  base::FileDescriptor file_ GUARDED_BY(file_mutex_);
  uint64_t size_ GUARDED_BY(file_mutex_) = 0;        // of whole records in it
  Time looked_at_ GUARDED_BY(file_mutex_);           // when the file was last seen to be there
  bool is_torn_ GUARDED_BY(file_mutex_) = false;     // bytes behind them are to be cut off first
  bool has_failed_ GUARDED_BY(file_mutex_) = false;  // the last write
  bool folder_synced_ GUARDED_BY(file_mutex_) = true;
  Position end_ GUARDED_BY(file_mutex_);
  std::string buffer_ GUARDED_BY(file_mutex_);
  std::atomic<bool> begins_file_{false};

  mutable base::Mutex mutex_;
  base::CondVar wake_;
  std::vector<Waiting> waiting_ GUARDED_BY(mutex_);
  size_t waiting_bytes_ GUARDED_BY(mutex_) = 0;
  bool is_writing_ GUARDED_BY(mutex_) = false;  // somebody writes
  bool is_slow_ GUARDED_BY(mutex_) = false;     // the last write was
  bool stopping_ GUARDED_BY(mutex_) = false;
  LogCounts counts_ GUARDED_BY(mutex_);
  absl::Status health_ GUARDED_BY(mutex_);
  std::thread thread_;  // last
};

}  // namespace consent::decisions
