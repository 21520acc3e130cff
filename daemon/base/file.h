// Files that an operator names: opened without being held up by what lies in their place, judged before they are used,
// and errors told by their cause.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace consent::base {

// Closes what it holds.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

// The cause behind errno and what to do about it, one line without a capital; never a word about damage, which no errno
// proves.
std::string ErrorAdvice(int error);
// Whether the errno says that there is no room, memory, descriptor or thread at the moment: the same may succeed later.
bool IsShortage(int error);
// "<what>: <cause and what to do>". NotFound, AlreadyExists as errno says; ResourceExhausted: IsShortage; Unavailable:
// all others.
absl::Status FileError(std::string_view what, int error);

enum class Links { kRefuse = 0, kFollow = 1 };

// Opens `path` for reading. Never waits, whatever is there. `name` says what the file is for people, such as "key
// file". FailedPrecondition: no regular file; else as FileError says.
absl::StatusOr<FileDescriptor> OpenRegular(std::string_view name, const std::string& path, Links links);
// FailedPrecondition unless the open file or folder belongs to this process's user and is closed to everybody else.
absl::Status CheckPrivate(int fd, std::string_view name, const std::string& path);
// FailedPrecondition unless the open file or folder, which a service manager brought, belongs to this process's user
// and is closed to everybody else, or to root and is closed to all others but root's group, which may not write it.
absl::Status CheckBrought(int fd, std::string_view name, const std::string& path);
// FailedPrecondition if everybody may write the open file.
absl::Status CheckNotOpenToAll(int fd, std::string_view name, const std::string& path);
// Reads from the file's present place to its end. InvalidArgument: over `max_bytes`.
absl::StatusOr<std::string> ReadBounded(int fd, std::string_view name, const std::string& path, size_t max_bytes);

}  // namespace consent::base
