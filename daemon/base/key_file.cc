// The key file: read, written and replaced as a whole.
#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/keys.h"
#include "daemon/base/own_folder.h"
#include "daemon/base/secret_text.h"

namespace consent::base {
namespace {

constexpr std::string_view kVersionLine = "consentd keys 3\n";
constexpr std::string_view kCheckLabel = "check ";
constexpr size_t kMaxFileBytes = 4096;  // the real one has under 400, and 80 for each further master key

absl::Status Failed(const std::string& what, const std::string& path, int error) {
  return FileError(what + " key file " + path, error);
}

absl::Status Damaged(const std::string& path) {
  return absl::DataLossError("key file " + path +
                             " is damaged or not a key file of this version; restore it from its backup");
}

// Whether the open file has this name and no other.
bool IsOnlyName(int fd, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(fd, &opened) == 0 && lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino && opened.st_nlink == 1;
}

absl::Status WriteAll(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("cannot write", path, errno);
    text.remove_prefix(static_cast<size_t>(n));
  }
  if (fsync(fd) != 0) return Failed("cannot sync", path, errno);
  return absl::OkStatus();
}

template <size_t N>
void AppendKey(std::string_view label, const std::array<uint8_t, N>& key, std::string* text) {
  SecretText hex{Hex(View(key))};
  text->append(label).append(" ").append(hex.text).append("\n");
}

// Takes "label <hex>\n" from the front of `text`.
template <size_t N>
bool TakeKey(std::string_view label, std::string_view* text, std::array<uint8_t, N>* key) {
  const size_t line = label.size() + 1 + 2 * N + 1;
  if (text->size() < line || text->substr(0, label.size()) != label || (*text)[label.size()] != ' ' ||
      (*text)[line - 1] != '\n') {
    return false;
  }
  if (!FromHex(text->substr(label.size() + 1, 2 * N), key->data(), N)) return false;
  text->remove_prefix(line);
  return true;
}

// "master 00001".
std::string MasterLabel(uint16_t number) {
  const std::string digits = std::to_string(number);
  return "master " + std::string(5 - digits.size(), '0') + digits;
}

// Takes a line of one from the front of `text`.
bool TakeMasterKey(std::string_view* text, uint16_t* number, Digest* key) {
  const std::string_view digits = text->substr(std::min<size_t>(7, text->size()), 5);
  uint32_t read = 0;
  for (const char c : digits) read = c >= '0' && c <= '9' ? read * 10 + static_cast<uint32_t>(c - '0') : UINT16_MAX + 1;
  if (read == 0 || read > UINT16_MAX || !TakeKey(MasterLabel(static_cast<uint16_t>(read)), text, key)) return false;
  *number = static_cast<uint16_t>(read);
  return true;
}

// A file of that name, made where there is none, locked by this process alone.
absl::StatusOr<FileDescriptor> LockUnfinished(const std::string& path) {
  FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file.ok()) return Failed("cannot create", path, errno);
  if (flock(file.fd(), LOCK_EX) != 0) return Failed("cannot lock", path, errno);
  return file;
}

}  // namespace

absl::StatusOr<Keys> Keys::Load(const std::string& path) {
  PrepareLibrary();
  absl::StatusOr<FileDescriptor> file = OpenRegular("key file", path, Links::kRefuse);
  if (!file.ok()) return file.status();
  // No other account can have read or planted it.
  if (absl::Status s = CheckPrivate(file->fd(), "key file", path); !s.ok()) return s;
  return Read(file->fd(), path);
}

absl::StatusOr<Keys> Keys::LoadCredential(const std::string& path) {
  PrepareLibrary();
  absl::StatusOr<FileDescriptor> file = OpenRegular("key file", path, Links::kRefuse);
  if (!file.ok()) return file.status();
  const std::string folder = path.substr(0, path.rfind('/'));
  const FileDescriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.ok()) return FileError("cannot open the folder of credentials " + folder, errno);
  if (absl::Status s = CheckBrought(opened.fd(), "folder of credentials", folder); !s.ok()) return s;
  if (absl::Status s = CheckBrought(file->fd(), "key file", path); !s.ok()) return s;
  return Read(file->fd(), path);
}

absl::StatusOr<Keys> Keys::Read(int fd, const std::string& path) {
  SecretText secret;
  absl::StatusOr<std::string> text = ReadBounded(fd, "key file", path, kMaxFileBytes);
  if (absl::IsInvalidArgument(text.status())) return Damaged(path);
  if (!text.ok()) return text.status();
  secret.text.swap(*text);

  const std::string_view whole = secret.text;
  std::string_view rest = whole;
  if (rest.substr(0, kVersionLine.size()) != kVersionLine) return Damaged(path);
  rest.remove_prefix(kVersionLine.size());
  Keys keys;
  Digest check{};
  keys.lookup_keys_.reserve(kMaxLookupKeys);  // grown in place, so that no freed copy keeps keys
  for (Bytes16 lookup; keys.lookup_keys_.size() < kMaxLookupKeys && TakeKey("lookup", &rest, &lookup);) {
    keys.lookup_keys_.push_back(lookup);
    sodium_memzero(lookup.data(), lookup.size());
  }
  if (keys.lookup_keys_.empty() || !TakeKey("disk", &rest, &keys.disk_key_) ||
      !TakeKey("token", &rest, &keys.token_key_)) {
    return Damaged(path);
  }
  MasterKey master;
  while (keys.master_keys_.size() < kMaxMasterKeys && TakeMasterKey(&rest, &master.number, &master.key)) {
    if (!keys.master_keys_.empty() && master.number <= keys.master_keys_.back().number) return Damaged(path);
    keys.master_keys_.push_back(master);
  }
  if (keys.master_keys_.empty()) return Damaged(path);
  const std::string_view checked = whole.substr(0, whole.size() - rest.size());
  if (!TakeKey("check", &rest, &check) || !rest.empty() || check != Blake2b(checked)) return Damaged(path);
  return keys;
}

absl::Status Keys::WriteUnfinished(int fd, const std::string& path) const {
  SecretText secret;
  secret.text.reserve(kMaxFileBytes);  // grown in place, so that no freed copy keeps keys
  secret.text.append(kVersionLine);
  for (const Bytes16& lookup : lookup_keys_) AppendKey("lookup", lookup, &secret.text);
  AppendKey("disk", disk_key_, &secret.text);
  AppendKey("token", token_key_, &secret.text);
  for (const MasterKey& master : master_keys_) AppendKey(MasterLabel(master.number), master.key, &secret.text);
  const Digest check = Blake2b(secret.text);
  secret.text.append(kCheckLabel).append(Hex(View(check))).append("\n");
  // A strange umask could have taken the owner's rights; others never get any.
  if (fchmod(fd, 0600) != 0 || ftruncate(fd, 0) != 0) return Failed("cannot protect", path, errno);
  if (absl::Status s = CheckPrivate(fd, "key file", path); !s.ok()) return s;
  return WriteAll(fd, path, secret.text);
}

absl::Status Keys::Save(const std::string& path) const {
  // Whole under another name first: a process that ends in between must not leave a key file that is none. What one
  // left is used again.
  const std::string unfinished = path + ".creating";
  const absl::StatusOr<FileDescriptor> file = LockUnfinished(unfinished);
  if (!file.ok()) return file.status();
  // Another process may have finished it meanwhile: then this very file is the key file now.
  if (!IsOnlyName(file->fd(), unfinished)) return Failed("cannot create", path, EEXIST);
  absl::Status saved = WriteUnfinished(file->fd(), unfinished);
  // Never over an existing one.
  if (saved.ok() && link(unfinished.c_str(), path.c_str()) != 0) saved = Failed("cannot create", path, errno);
  unlink(unfinished.c_str());
  return saved.ok() ? SyncFolderOf(path) : saved;
}

absl::Status Keys::Change(const std::string& path,
                          const std::function<absl::StatusOr<Keys>(const Keys& keys)>& change) {
  const std::string unfinished = path + ".changing";
  for (;;) {
    const absl::StatusOr<FileDescriptor> file = LockUnfinished(unfinished);
    if (!file.ok()) return file.status();
    // Whoever had the lock before has renamed it or taken it away: the next one is locked.
    if (!IsOnlyName(file->fd(), unfinished)) continue;
    const absl::StatusOr<Keys> before = Load(path);
    const absl::StatusOr<Keys> after = before.ok() ? change(*before) : before;
    absl::Status saved = after.ok() ? after->WriteUnfinished(file->fd(), unfinished) : after.status();
    if (saved.ok() && rename(unfinished.c_str(), path.c_str()) != 0) saved = Failed("cannot replace", path, errno);
    if (saved.ok()) return SyncFolderOf(path);
    unlink(unfinished.c_str());
    return saved;
  }
}

}  // namespace consent::base
