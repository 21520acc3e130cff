#include "client/cli/engines/backup_sinks.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/engines/backup_list.h"
#include "client/cli/output.h"
#include "daemon/backup/manifest.h"

namespace consent::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTarBlock = 512;

absl::Status SinkFailed(const std::string& what, int error) {
  return absl::FailedPreconditionError(absl::StrCat(what, " (", std::strerror(error), ")"));
}

absl::Status SyncFolder(const std::string& path) {
  const Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.IsOpen() && fsync(folder.get()) == 0) return absl::OkStatus();
  return SinkFailed(absl::StrCat("the folder ", path, " cannot be synced"), errno);
}

// The last bytes of a number's octal digits, or where they do not suffice its bytes behind a mark (GNU and POSIX pax).
void PutNumber(uint64_t number, char* out, size_t size) {
  const uint64_t most = (uint64_t{1} << (3 * (size - 1))) - 1;
  if (number <= most) {
    for (size_t i = size - 1; i-- > 0; number >>= 3) out[i] = static_cast<char>('0' + (number & 7));
    return;
  }
  for (size_t i = size; i-- > 1; number >>= 8) out[i] = static_cast<char>(number & 0xff);
  out[0] = static_cast<char>(0x80);
}

std::array<char, kTarBlock> TarHeader(const std::string& name, uint64_t bytes) {
  constexpr size_t kNameBytes = 100;
  std::array<char, kTarBlock> block{};
  std::memcpy(block.data(), name.data(), std::min(name.size(), kNameBytes));
  PutNumber(0600, &block[100], 8);
  PutNumber(0, &block[108], 8);
  PutNumber(0, &block[116], 8);
  PutNumber(bytes, &block[124], 12);
  PutNumber(static_cast<uint64_t>(std::time(nullptr)), &block[136], 12);
  std::memset(&block[148], ' ', 8);
  block[156] = '0';
  std::memcpy(&block[257],
              "ustar\0"
              "00",
              8);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  PutNumber(sum, &block[148], 7);
  return block;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FolderSink>> FolderSink::Create(const std::string& parent, const std::string& name) {
  const std::string place = absl::StrCat(parent, "/", name);
  const std::string partial = absl::StrCat(place, std::string(kPartialEnding));
  if (mkdir(partial.c_str(), 0700) != 0) {
    return SinkFailed(absl::StrCat("the folder ", partial, " cannot be made"), errno);
  }
  Descriptor folder(open(partial.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.IsOpen() || flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    return SinkFailed(absl::StrCat("the folder ", partial, " cannot be locked"), errno);
  }
  std::unique_ptr<FolderSink> sink(new FolderSink(place, std::move(folder)));
  const std::string store = absl::StrCat(partial, "/", std::string(backup::kStoreFolder));
  if (mkdir(store.c_str(), 0700) != 0) return SinkFailed(absl::StrCat("the folder ", store, " cannot be made"), errno);
  return sink;
}

FolderSink::~FolderSink() {
  std::error_code ignored;  // what stays is named .partial, and the next backup removes it
  if (!is_finished_) fs::remove_all(partial_, ignored);
}

absl::Status FolderSink::BeginFile(const std::string& name, int64_t /*bytes*/) {
  path_ = absl::StrCat(partial_, "/", name);
  file_ = Descriptor(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file_.IsOpen()) return absl::OkStatus();
  return SinkFailed(absl::StrCat("the file ", path_, " cannot be made"), errno);
}

absl::Status FolderSink::Write(std::string_view data) {
  if (WriteAll(file_.get(), data)) return absl::OkStatus();
  return SinkFailed(absl::StrCat("the file ", path_, " cannot be written"), errno);
}

absl::Status FolderSink::EndFile() {
  if (fsync(file_.get()) != 0) return SinkFailed(absl::StrCat("the file ", path_, " cannot be synced"), errno);
  file_ = Descriptor();
  return absl::OkStatus();
}

absl::Status FolderSink::Finish() {
  for (const std::string& folder : {absl::StrCat(partial_, "/", std::string(backup::kStoreFolder)), partial_}) {
    if (absl::Status s = SyncFolder(folder); !s.ok()) return s;
  }
  if (std::rename(partial_.c_str(), place_.c_str()) != 0) {
    return SinkFailed(absl::StrCat("the folder ", partial_, " cannot be renamed"), errno);
  }
  is_finished_ = true;
  return SyncFolder(fs::path(place_).parent_path().string());
}

absl::Status TarSink::BeginFile(const std::string& name, int64_t bytes) {
  written_ = 0;
  const auto header = TarHeader(absl::StrCat(name_, "/", name), static_cast<uint64_t>(bytes));
  if (WriteAll(descriptor_, std::string_view(header.data(), header.size()))) return absl::OkStatus();
  return SinkFailed("standard output cannot be written", errno);
}

absl::Status TarSink::Write(std::string_view data) {
  written_ += data.size();
  if (WriteAll(descriptor_, data)) return absl::OkStatus();
  return SinkFailed("standard output cannot be written", errno);
}

absl::Status TarSink::EndFile() {
  const std::string padding((kTarBlock - written_ % kTarBlock) % kTarBlock, '\0');
  if (WriteAll(descriptor_, padding)) return absl::OkStatus();
  return SinkFailed("standard output cannot be written", errno);
}

absl::Status TarSink::Finish() {
  if (WriteAll(descriptor_, std::string(2 * kTarBlock, '\0'))) return absl::OkStatus();
  return SinkFailed("standard output cannot be written", errno);
}

int RemoveAbandoned(const std::string& parent) {
  int removed = 0;
  std::error_code error;
  for (fs::directory_iterator at(parent, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!IsBackupName(std::string_view(name).substr(0, name.size() - std::min(name.size(), kPartialEnding.size()))) ||
        !name.ends_with(kPartialEnding)) {
      continue;
    }
    const Descriptor folder(open(at->path().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.IsOpen() || flock(folder.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code ignored;
    fs::remove_all(at->path(), ignored);
    if (!ignored) ++removed;
  }
  return removed;
}

}  // namespace consent::cli
