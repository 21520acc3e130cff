#include "daemon/backup/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <set>
#include <string_view>
#include <system_error>

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/own_folder.h"
#include "daemon/base/sha256_stream.h"

namespace consent::backup {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPiece = 1 << 20;
constexpr char kUseAnother[] = ". Use another backup";

// What is done with a file's bytes, piece by piece.
using Sink = std::function<absl::Status(std::string_view)>;

absl::Status ReadThrough(const base::FileDescriptor& file, const std::string& path, const Sink& sink) {
  std::string piece(kPiece, '\0');
  for (;;) {
    const ssize_t n = read(file.fd(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::FileError("cannot read the backup's file " + path, errno);
    if (n == 0) return absl::OkStatus();
    if (absl::Status s = sink(std::string_view(piece).substr(0, static_cast<size_t>(n))); !s.ok()) return s;
  }
}

// Reads a file of the backup, gives each piece to `sink`, and says whether it is what the manifest lists.
absl::Status ReadListed(const std::string& folder, const v1::BackupFile& listed, const Sink& sink) {
  const std::string path = folder + "/" + listed.name();
  absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("backup's file", path, base::Links::kRefuse);
  if (absl::IsNotFound(file.status())) {
    return absl::DataLossError("the backup's file " + path + " is missing" + kUseAnother);
  }
  if (!file.ok()) return file.status();
  base::Sha256Stream hash;
  int64_t bytes = 0;
  absl::Status read = ReadThrough(*file, path, [&](std::string_view piece) {
    bytes += static_cast<int64_t>(piece.size());
    hash.Update(piece);
    return bytes > listed.bytes() ? absl::OkStatus() : sink(piece);
  });
  if (!read.ok()) return read;
  if (bytes != listed.bytes()) {
    return absl::DataLossError("the backup's file " + path + " has " + std::to_string(bytes) +
                               " bytes, the manifest says " + std::to_string(listed.bytes()) + kUseAnother);
  }
  if (base::Hex(base::View(hash.Finish())) != listed.sha256()) {
    return absl::DataLossError("the backup's file " + path + " is damaged: its SHA-256 is not the manifest's" +
                               kUseAnother);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadSmall(std::string_view name, const std::string& path, size_t max_bytes) {
  absl::StatusOr<base::FileDescriptor> file = base::OpenRegular(name, path, base::Links::kRefuse);
  if (!file.ok()) return file.status();
  return base::ReadBounded(file->fd(), name, path, max_bytes);
}

absl::Status CheckNothingExtra(const std::string& folder, const v1::BackupManifest& manifest) {
  std::set<std::string> listed = {std::string(kManifestName), std::string(kManifestHashName),
                                  std::string(kStoreFolder)};
  for (const v1::BackupFile& file : manifest.files()) listed.insert(file.name());
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().lexically_relative(folder).string();
    if (listed.count(name) != 0) continue;
    return absl::DataLossError("the backup " + folder + " holds something that its manifest does not list: " +
                               at->path().string() + ". See who put it there");
  }
  return error ? base::FileError("cannot list the backup " + folder, error.value()) : absl::OkStatus();
}

absl::Status CopyFile(const std::string& folder, const v1::BackupFile& listed, const std::string& to) {
  const base::FileDescriptor out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!out.ok()) return base::FileError("cannot create " + to, errno);
  absl::Status copied = ReadListed(folder, listed, [&](std::string_view piece) -> absl::Status {
    while (!piece.empty()) {
      const ssize_t n = write(out.fd(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return base::FileError("cannot write " + to, errno);
      piece.remove_prefix(static_cast<size_t>(n));
    }
    return absl::OkStatus();
  });
  if (!copied.ok()) return copied;
  return fsync(out.fd()) == 0 ? absl::OkStatus() : base::FileError("cannot sync " + to, errno);
}

}  // namespace

absl::StatusOr<v1::BackupManifest> ReadManifest(const std::string& folder) {
  const std::string path = folder + "/" + std::string(kManifestName);
  const absl::StatusOr<std::string> bytes = ReadSmall("manifest", path, kMaxManifestBytes);
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(folder + " is no whole backup: " + std::string(kManifestName) +
                               " is not there, which is written last");
  }
  if (!bytes.ok()) return bytes.status();
  constexpr size_t kMaxHashLine = 256;
  const absl::StatusOr<std::string> line =
      ReadSmall("manifest's hash", folder + "/" + std::string(kManifestHashName), kMaxHashLine);
  if (!line.ok() && !absl::IsNotFound(line.status())) return line.status();
  return DecodeManifest(path, *bytes, line.ok() ? *line : std::string());
}

absl::Status CheckFiles(const std::string& folder, const v1::BackupManifest& manifest) {
  if (absl::Status s = CheckNothingExtra(folder, manifest); !s.ok()) return s;
  for (const v1::BackupFile& file : manifest.files()) {
    absl::Status whole = ReadListed(folder, file, [](std::string_view) { return absl::OkStatus(); });
    if (!whole.ok()) return whole;
  }
  return absl::OkStatus();
}

absl::Status CopyStore(const std::string& folder, const v1::BackupManifest& manifest, const std::string& to) {
  if (mkdir(to.c_str(), 0700) != 0) return base::FileError("cannot create " + to, errno);
  for (const v1::BackupFile& file : manifest.files()) {
    if (absl::Status s = CopyFile(folder, file, to + file.name().substr(kStoreFolder.size())); !s.ok()) return s;
  }
  if (absl::Status s = base::SyncFolder(to); !s.ok()) return s;
  return base::SyncFolder(fs::absolute(to).lexically_normal().parent_path().string());
}

uint64_t TotalBytes(const v1::BackupManifest& manifest) {
  uint64_t bytes = 0;
  for (const v1::BackupFile& file : manifest.files()) bytes += static_cast<uint64_t>(file.bytes());
  return bytes;
}

}  // namespace consent::backup
