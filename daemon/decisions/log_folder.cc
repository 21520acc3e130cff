#include "daemon/decisions/log_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "daemon/base/own_folder.h"

namespace consent::decisions {
namespace {

constexpr std::string_view kPrefix = "decisions-";
constexpr std::string_view kSuffix = ".jsonl";
constexpr size_t kDigits = 20;
constexpr mode_t kFileMode = 0640;

absl::Status Failed(const char* what, const std::string& path) {
  return base::FileError(absl::StrCat("the decision log: cannot ", what, " ", path), errno);
}

// First records of the folder's files, in order.
absl::StatusOr<std::vector<uint64_t>> ListFiles(const std::string& folder) {
  std::vector<uint64_t> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    uint64_t first = 0;
    if (ReadFileName(at->path().filename().string(), &first)) files.push_back(first);
  }
  if (error) {
    errno = error.value();
    return Failed("list", folder);
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The end of the file: as much as a record and an unfinished one behind it can have.
absl::StatusOr<std::string> ReadTail(int fd, off_t size, const std::string& path) {
  constexpr off_t kMost = 2 * static_cast<off_t>(kMaxRecordBytes + 1) + 1;
  const off_t from = std::max<off_t>(0, size - kMost);
  std::string tail(static_cast<size_t>(size - from), '\0');
  size_t got = 0;
  while (got < tail.size()) {
    const ssize_t bytes = pread(fd, tail.data() + got, tail.size() - got, from + static_cast<off_t>(got));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return Failed("read", path);
    if (bytes == 0) break;
    got += static_cast<size_t>(bytes);
  }
  tail.resize(got);
  return tail;
}

// The position behind the file's last whole line; of count 0 where it has none. Cuts off what stands behind it.
absl::StatusOr<Position> EndOfFile(const std::string& path) {
  const base::FileDescriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (!file.ok() || fstat(file.fd(), &info) != 0) return Failed("open", path);
  const absl::StatusOr<std::string> tail = ReadTail(file.fd(), info.st_size, path);
  if (!tail.ok()) return tail.status();
  const size_t end = tail->rfind('\n');
  const size_t unfinished = end == std::string::npos ? tail->size() : tail->size() - end - 1;
  if (unfinished != 0 && ftruncate(file.fd(), info.st_size - static_cast<off_t>(unfinished)) != 0) {
    return Failed("cut what a killed process left off", path);
  }
  // The process before may not have come to it, and what comes next is to stand on it.
  if (fdatasync(file.fd()) != 0) return Failed("sync", path);
  if (end == std::string::npos) return Position{};
  const size_t before = end == 0 ? std::string::npos : tail->rfind('\n', end - 1);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  const std::string_view line = std::string_view(*tail).substr(begin, end - begin);
  Position position;
  if (!ReadRecordNumber(line, &position.count)) {
    return absl::DataLossError(absl::StrCat("the decision log: the last line of ", path,
                                            " is no record: put the file back as it was, or move it out of the folder; "
                                            "`consentctl decisions verify` then names the gap"));
  }
  position.hash = RecordHash(line);
  return position;
}

}  // namespace

std::string FileName(uint64_t first_record) {
  std::string digits = std::to_string(first_record);
  digits.insert(0, kDigits - digits.size(), '0');
  return absl::StrCat(absl::string_view(kPrefix.data(), kPrefix.size()), digits,
                      absl::string_view(kSuffix.data(), kSuffix.size()));
}

bool ReadFileName(std::string_view name, uint64_t* first_record) {
  if (name.size() != kPrefix.size() + kDigits + kSuffix.size() || !name.starts_with(kPrefix) ||
      !name.ends_with(kSuffix)) {
    return false;
  }
  const std::string_view digits = name.substr(kPrefix.size(), kDigits);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *first_record);
  return error == std::errc() && end == digits.data() + digits.size() && *first_record != 0;
}

absl::Status PrepareFolder(const std::string& folder) {
  if (absl::Status s = base::PrepareOwnFolder("the decision log", folder); !s.ok()) return s;
  if (access(folder.c_str(), R_OK | W_OK | X_OK) != 0) return Failed("use the folder", folder);
  return absl::OkStatus();
}

absl::StatusOr<Position> FindEnd(const std::string& folder) {
  absl::StatusOr<std::vector<uint64_t>> files = ListFiles(folder);
  if (!files.ok()) return files.status();
  for (; !files->empty(); files->pop_back()) {
    absl::StatusOr<Position> end = EndOfFile(absl::StrCat(folder, "/", FileName(files->back())));
    if (!end.ok() || end->count != 0) return end;
  }
  return Position{};
}

absl::StatusOr<base::FileDescriptor> OpenFile(const std::string& folder, uint64_t first_record) {
  const std::string path = absl::StrCat(folder, "/", FileName(first_record));
  base::FileDescriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kFileMode));
  if (!file.ok()) return Failed("open", path);
  // Without a whole record it holds nothing that was said.
  if (ftruncate(file.fd(), 0) != 0 || fchmod(file.fd(), kFileMode) != 0) return Failed("begin", path);
  return file;
}

}  // namespace consent::decisions
