// What a journal's file consists of: frames, each written and synced before the next one begins. Layout: FORMAT.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/file.h"

namespace consent::journal {

inline constexpr size_t kFrameOverhead = 4 + 4 + 16;        // magic, length, checksum
inline constexpr size_t kMaxFrameBytes = size_t{16} << 20;  // of what a frame holds

// "restrictions-00000000000000000042.journal": file number 42. Names order as numbers do.
std::string FileName(uint64_t number);
// False: no name of a journal's file.
bool ReadFileName(std::string_view name, uint64_t* number);
// Numbers of the folder's files, in order; other names are left alone. Errors as base::FileError.
absl::StatusOr<std::vector<uint64_t>> ListFiles(const std::string& folder);

// Appends a frame as it stands in file `number` at `offset`: its checksum covers both, so that no frame is taken for
// another one's. `held`: at most kMaxFrameBytes.
void AppendFrame(uint64_t number, uint64_t offset, std::string_view held, std::string* out);

// Reads the frames of one file, in order. Not thread-safe.
class FrameReader {
 public:
  // `where`: the file's path, for errors. Errors as base::FileError.
  static absl::StatusOr<FrameReader> Open(const std::string& folder, uint64_t number);

  // What the next frame holds; nothing at the end of what can be read: the file's end, or bytes that are no whole
  // frame, behind which no frame stands. DataLoss: they are damage, because one stands behind them, so that they were
  // synced before it was written; the text names file and byte. Else as base::FileError.
  absl::StatusOr<std::optional<std::string>> Next();
  // Where the frame that Next returned begins, and where it ends.
  uint64_t began() const { return began_; }
  uint64_t end() const { return end_; }
  // Bytes behind `end()` once Next has returned nothing.
  uint64_t torn_bytes() const { return size_ - end_; }

 private:
  FrameReader(base::FileDescriptor file, std::string path, uint64_t number, uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), number_(number), size_(size) {}
  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t bytes) const;
  // The frame at `offset`; nothing: there is none.
  absl::StatusOr<std::optional<std::string>> FrameAt(uint64_t offset) const;
  // The first frame behind `offset`; nothing: there is none.
  absl::StatusOr<std::optional<uint64_t>> FindBehind(uint64_t offset) const;

  base::FileDescriptor file_;
  std::string path_;
  uint64_t number_;
  uint64_t size_;
  uint64_t began_ = 0;
  uint64_t end_ = 0;
};

// Splits what a frame holds into the bytes of its entries; false: it is not what JoinEntries makes.
bool SplitEntries(std::string_view held, std::vector<std::string_view>* entries);
// Appends one entry's bytes to what a frame will hold.
void JoinEntry(std::string_view entry, std::string* held);

}  // namespace consent::journal
