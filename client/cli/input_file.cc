#include "client/cli/input_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "client/cli/output.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

// As much of a pipe is copied; more is given as a file.
constexpr uint64_t kMaxSpoolBytes = uint64_t{4} << 30;

}  // namespace

absl::StatusOr<Descriptor> Rereadable(Descriptor input) {
  if (::lseek(input.get(), 0, SEEK_SET) == 0) return input;
  const char* folder = std::getenv("TMPDIR");
  std::string name = std::string(folder != nullptr && folder[0] == '/' ? folder : "/tmp") + "/consentctl-XXXXXX";
  Descriptor copy(::mkstemp(name.data()));
  if (!copy.IsOpen()) {
    return absl::FailedPreconditionError("standard input cannot be copied: " + std::string(std::strerror(errno)));
  }
  ::unlink(name.c_str());
  std::string block(64 * 1024, '\0');
  for (uint64_t copied = 0;;) {
    const ssize_t count = ::read(input.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) return copy;
    copied += static_cast<uint64_t>(count > 0 ? count : 0);
    if (copied > kMaxSpoolBytes) {
      return absl::FailedPreconditionError("a pipe may bring at most 4 GiB; give a larger input as a file");
    }
    if (count < 0 || !WriteAll(copy.get(), std::string_view(block).substr(0, static_cast<size_t>(count)))) {
      return absl::FailedPreconditionError("standard input cannot be copied: " + std::string(std::strerror(errno)));
    }
  }
}

absl::StatusOr<std::string> HashOfInput(int input) {
  crypto_hash_sha256_state hash;
  crypto_hash_sha256_init(&hash);
  std::string block(64 * 1024, '\0');
  if (::lseek(input, 0, SEEK_SET) < 0) return absl::FailedPreconditionError("the input cannot be read again");
  for (;;) {
    const ssize_t count = ::read(input, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return absl::FailedPreconditionError("the input cannot be read: " + std::string(std::strerror(errno)));
    }
    if (count == 0) break;
    crypto_hash_sha256_update(&hash, reinterpret_cast<const uint8_t*>(block.data()), static_cast<size_t>(count));
  }
  base::Digest digest{};
  crypto_hash_sha256_final(&hash, digest.data());
  return base::Hex(base::View(digest));
}

absl::StatusOr<std::string> ReadStateFile(const std::string& path, const std::string& what) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.IsOpen() && errno == ENOENT) return std::string();
  if (!file.IsOpen()) {
    return absl::FailedPreconditionError(what + " cannot be opened: " + std::string(std::strerror(errno)));
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(what + " cannot be used: it is no regular file");
  }
  std::string text(SizeOf(file.get()), '\0');
  size_t held = 0;
  while (held < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + held, text.size() - held);
    if (count < 0) return absl::FailedPreconditionError(what + " cannot be read");
    if (count == 0) break;
    held += static_cast<size_t>(count);
  }
  text.resize(held);
  return text;
}

}  // namespace consent::cli
