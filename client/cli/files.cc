#include "client/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/printable.h"

namespace consent::cli {
namespace {

absl::Status Failed(const std::string& what, int error) {
  return absl::FailedPreconditionError(what + ": " + std::strerror(error));
}

bool SameFile(int a, int b) {
  struct stat first {};
  struct stat second {};
  if (::fstat(a, &first) != 0 || ::fstat(b, &second) != 0) return false;
  if (!S_ISREG(first.st_mode) && !S_ISFIFO(first.st_mode)) return false;
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int64_t SteadyMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

absl::StatusOr<Descriptor> OpenInput(const std::string& path) {
  Descriptor input(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input.IsOpen()) return Failed("the input " + path + " cannot be opened", errno);
  struct stat found {};
  if (::fstat(input.get(), &found) == 0 && S_ISDIR(found.st_mode))
    return Failed("the input " + path + " cannot be read", EISDIR);
  return input;
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, size_t most) {
  const absl::StatusOr<Descriptor> input = OpenInput(path);
  if (!input.ok()) return input.status();
  std::string bytes;
  std::array<char, 16'384> part{};
  for (;;) {
    const ssize_t size = ::read(input->get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Failed("the file " + path + " cannot be read", errno);
    if (size == 0) return bytes;
    bytes.append(part.data(), static_cast<size_t>(size));
    if (bytes.size() > most) {
      return absl::FailedPreconditionError("the file " + path + " has over " + std::to_string(most) + " bytes");
    }
  }
}

uint64_t SizeOf(int descriptor) {
  struct stat found {};
  if (::fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode)) return 0;
  return static_cast<uint64_t>(found.st_size);
}

absl::Status CheckDistinct(const std::vector<NamedFile>& files) {
  for (size_t i = 0; i < files.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!SameFile(files[i].descriptor, files[j].descriptor)) continue;
      return absl::FailedPreconditionError(std::string(files[j].name) + " and " + files[i].name +
                                           " are one file; choose another one. Nothing was written");
    }
  }
  return absl::OkStatus();
}

LineFile::LineFile(int descriptor) : descriptor_(descriptor) {}

absl::StatusOr<LineFile> LineFile::Open(const std::string& path) {
  LineFile file;
  if (path.empty()) return file;
  file.owned_ = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file.owned_.IsOpen()) return Failed("the file " + path + " cannot be opened for writing", errno);
  file.descriptor_ = file.owned_.get();
  return file;
}

absl::Status LineFile::KeepFirst(uint64_t bytes) {
  const uint64_t size = SizeOf(descriptor_);
  // Devices and pipes have no size, and nothing to cut.
  if (size == 0) return absl::OkStatus();
  const bool cut = size <= bytes || ::ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0;
  return cut && ::lseek(descriptor_, 0, SEEK_END) >= 0 ? absl::OkStatus() : Failed("an output cannot be cut", errno);
}

absl::Status LineFile::Write(std::string_view lines) {
  if (!IsOpen() || lines.empty()) return absl::OkStatus();
  const off_t before = ::lseek(descriptor_, 0, SEEK_CUR);
  if (WriteAll(descriptor_, lines)) return absl::OkStatus();
  const int error = errno;
  const off_t after = ::lseek(descriptor_, 0, SEEK_CUR);
  if (before >= 0 && after > before && SizeOf(descriptor_) == static_cast<uint64_t>(after)) {
    // Best effort: the failure itself is reported in any case.
    if (::ftruncate(descriptor_, before) == 0) ::lseek(descriptor_, before, SEEK_SET);
  }
  absl::Status failed = Failed("an output cannot be written", error);
  errno = error;
  return failed;
}

absl::Status MayReplace(const std::string& option, const LineFile& file, bool force) {
  if (force || SizeOf(file.descriptor()) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError("the file of " + option +
                                       " holds something already: name another one, or replace it with --force. "
                                       "Nothing was done");
}

absl::Status WriteWholeFile(const std::string& path, std::string_view bytes, bool replace) {
  const std::string what = "the file " + path + " cannot be written";
  struct stat found {};
  if (replace && ::lstat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) {
    return absl::FailedPreconditionError(what + ": what is there is no regular file");
  }
  std::string beside = path + ".XXXXXX";
  // Mode 0600.
  const Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  if (!file.IsOpen()) return Failed(what, errno);
  // A link, unlike a rename, never replaces.
  const bool placed = WriteAll(file.get(), bytes) && ::fsync(file.get()) == 0 &&
                      (replace ? ::rename(beside.c_str(), path.c_str()) : ::link(beside.c_str(), path.c_str())) == 0;
  const int error = errno;
  if (!placed || !replace) ::unlink(beside.c_str());
  if (placed) return absl::OkStatus();
  if (error == EEXIST) {
    return absl::AlreadyExistsError("the file " + path + " is there already; with --force it is replaced");
  }
  return Failed(what, error);
}

ProgressBar::ProgressBar(uint64_t total, bool visible)
    : total_(total), visible_(visible && ::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() { Clear(); }

void ProgressBar::Show(uint64_t bytes, const std::string& what) {
  constexpr int64_t kEveryMs = 200;
  constexpr uint64_t kWidth = 30;
  if (!visible_ || SteadyMs() - last_ms_ < kEveryMs) return;
  last_ms_ = SteadyMs();
  shown_ = true;
  if (total_ == 0) {
    std::fprintf(stderr, "\r\033[K%s", what.c_str());
  } else {
    const uint64_t done = std::min(bytes, total_);
    const auto filled = static_cast<size_t>(done * kWidth / total_);
    std::fprintf(stderr, "\r\033[K[%s%s] %3d%%  %s", std::string(filled, '#').c_str(),
                 std::string(kWidth - filled, '.').c_str(), static_cast<int>(done * 100 / total_), what.c_str());
  }
  std::fflush(stderr);
}

int FileError(const absl::Status& status) {
  std::fprintf(stderr, "consentctl: %s\n", Printable(std::string(status.message())).c_str());
  return kFiles;
}

void ProgressBar::Clear() {
  if (!shown_) return;
  std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
  shown_ = false;
}

void ProgressBar::Say(const std::string& line) {
  Clear();
  std::fprintf(stderr, "%s\n", Printable(line).c_str());
}

}  // namespace consent::cli
