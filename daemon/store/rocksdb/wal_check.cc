#include "daemon/store/rocksdb/wal_check.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <vector>

#include "daemon/base/file.h"
#include "daemon/store/rocksdb/crc32c.h"

namespace consent::store {
namespace {

// The log is a row of blocks; a record never begins in the last bytes of one, where its header would not fit.
constexpr size_t kBlockBytes = 32'768;
constexpr size_t kMostLogBytes = size_t{4} << 30;  // a file has a fraction of it; see max_total_wal_size in database.cc
constexpr size_t kHeaderBytes = 7;                 // masked CRC (4), length (2), type (1)
enum Type : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

uint32_t LittleEndian(std::string_view bytes, size_t at, size_t width) {
  uint32_t v = 0;
  for (size_t i = 0; i < width; ++i) v |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  return v;
}

// Length of the valid fragment at `at` of the block, header included, or 0.
size_t FragmentAt(std::string_view block, size_t at, uint8_t* type) {
  if (block.size() - at < kHeaderBytes) return 0;
  *type = static_cast<uint8_t>(block[at + 6]);
  if (*type < kFull || *type > kLast) return 0;
  const size_t length = LittleEndian(block, at + 4, 2);
  if (block.size() - at - kHeaderBytes < length) return 0;
  if (MaskCrc32c(Crc32c(block.substr(at + 6, 1 + length))) != LittleEndian(block, at, 4)) return 0;
  return kHeaderBytes + length;
}

bool Begins(uint8_t type) { return type == kFull || type == kFirst; }

}  // namespace

bool IsWalSound(std::string_view file) {
  bool damaged = false;
  for (size_t start = 0; start < file.size(); start += kBlockBytes) {
    const std::string_view block = file.substr(start, kBlockBytes);
    for (size_t at = 0; block.size() - at >= kHeaderBytes;) {
      uint8_t type = 0;
      const size_t length = FragmentAt(block, at, &type);
      if (length == 0) {
        // The length may be what is damaged, so the next record is looked for at every byte.
        damaged = true;
        ++at;
        continue;
      }
      if (damaged && Begins(type)) return false;
      at += length;
    }
  }
  return true;
}

absl::StatusOr<uint64_t> CheckWalFiles(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".log") files.push_back(at->path());
  }
  if (error) return base::FileError("cannot list the database folder " + folder, error.value());
  std::sort(files.begin(), files.end());
  uint64_t total = 0;
  for (const fs::path& path : files) {
    absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("log file", path.string(), base::Links::kRefuse);
    if (!file.ok()) return file.status();
    const absl::StatusOr<std::string> bytes = base::ReadBounded(file->fd(), "log file", path.string(), kMostLogBytes);
    if (!bytes.ok()) return bytes.status();
    if (!IsWalSound(*bytes)) {
      return absl::DataLossError(
          "log file " + path.string() +
          " is damaged in the middle: acknowledged changes stand after the damaged place and would be "
          "lost. Restore the database folder from a good copy; or start once with --accept-loss to go on "
          "with the changes before the damage");
    }
    total += bytes->size();
  }
  return total;
}

}  // namespace consent::store
