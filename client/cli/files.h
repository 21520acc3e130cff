// Files that consentctl reads and writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace consent::cli {

// Owns a descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  bool IsOpen() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// Problems with single lines that are printed; the rest is only counted.
inline constexpr uint64_t kMostPrinted = 100;

// Says on standard error what is wrong with a file; returns kFiles.
int FileError(const absl::Status& status);

// "-" is standard input. FailedPrecondition: it cannot be opened, and why.
absl::StatusOr<Descriptor> OpenInput(const std::string& path);
// All of a file, or of standard input. FailedPrecondition: it cannot be opened or read, or has over `most` bytes.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, size_t most);
// Bytes of a regular file; 0 for anything else.
uint64_t SizeOf(int descriptor);
// A descriptor, -1 for none, under the name that messages give it.
struct NamedFile {
  const char* name;
  int descriptor;
};
// FailedPrecondition: two of them are one file or one pipe, so that what one holds or gets would be lost in the other.
// Devices may be shared.
absl::Status CheckDistinct(const std::vector<NamedFile>& files);

// Whole lines only: where a write fails midway in a regular file, what was written of the last block is cut off again.
// Not thread-safe.
class LineFile {
 public:
  // Takes part in nothing: writing to it does nothing.
  LineFile() = default;
  // Standard output or another descriptor that somebody else owns.
  explicit LineFile(int descriptor);
  // Opens `path` or creates it, mode 0600, and changes nothing of what it holds; an empty `path` is no file. KeepFirst
  // comes before the first Write. FailedPrecondition: it cannot be opened.
  static absl::StatusOr<LineFile> Open(const std::string& path);

  bool IsOpen() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  // Cuts the file after its first `bytes`, where writing begins. FailedPrecondition: it cannot be cut.
  absl::Status KeepFirst(uint64_t bytes);
  // `lines` end with a line's end. FailedPrecondition: it cannot be written, and errno says why.
  absl::Status Write(std::string_view lines);

 private:
  Descriptor owned_;
  int descriptor_ = -1;
};

// FailedPrecondition: `file`, which the option of that name gave, holds something, and `force` is not set. A device or
// pipe holds nothing.
absl::Status MayReplace(const std::string& option, const LineFile& file, bool force);

// Writes a whole file, mode 0600, so that `path` never holds half of it: under another name beside it, synced, then put
// in place. AlreadyExists: `path` is there, and `replace` is not set. FailedPrecondition: it cannot be written, or what
// would be replaced is no regular file.
absl::Status WriteWholeFile(const std::string& path, std::string_view bytes, bool replace);

// How far a long command has come, on standard error where that is a terminal. Not thread-safe.
class ProgressBar {
 public:
  // `total` bytes; 0: unknown. `visible`: false prints nothing.
  ProgressBar(uint64_t total, bool visible);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  // At most five times a second.
  void Show(uint64_t bytes, const std::string& what);
  // Takes the bar off the terminal, so that other lines can be printed.
  void Clear();
  // Prints a line on standard error, above the bar; of strangers' text what can be printed.
  void Say(const std::string& line);

 private:
  const uint64_t total_;
  const bool visible_;
  bool shown_ = false;
  int64_t last_ms_ = 0;
};

}  // namespace consent::cli
