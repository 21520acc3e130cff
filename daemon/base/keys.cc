#include "daemon/base/keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/key_wrap.h"

namespace consent::base {
namespace {

constexpr std::string_view kVersionLine = "consentd keys 2\n";
constexpr std::string_view kCheckLabel = "check ";
constexpr std::string_view kWrapLabel("wrap\0", 5);
constexpr std::string_view kCheckOfMaster("master check");
constexpr size_t kSecretBytes = 16;     // of a payload key
constexpr size_t kMaxFileBytes = 4096;  // the real one has under 400, and 80 for each further master key

// Text that holds keys: wiped when it goes.
struct SecretText {
  std::string text;
  ~SecretText() { sodium_memzero(text.data(), text.size()); }
};

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

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const FileDescriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.ok() || fsync(opened.fd()) != 0) return Failed("cannot sync the folder of", path, errno);
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

absl::Status DamagedShare() { return absl::DataLossError("a payload key's share cannot be opened: it is damaged"); }

absl::Status UnknownMaster(uint16_t number) {
  return absl::DataLossError("a payload key's share lies under master key " + std::to_string(number) +
                             ", which the key file does not have: put back a key file that has it");
}

template <typename Out>
Out KeyedHash(const Digest& key, std::string_view a, std::string_view b) {
  Out out{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.data(), key.size(), out.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(a.data()), a.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(b.data()), b.size());
  crypto_generichash_final(&state, out.data(), out.size());
  return out;
}

// A file of that name, made where there is none, locked by this process alone.
absl::StatusOr<FileDescriptor> LockUnfinished(const std::string& path) {
  FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file.ok()) return Failed("cannot create", path, errno);
  if (flock(file.fd(), LOCK_EX) != 0) return Failed("cannot lock", path, errno);
  return file;
}

// Picks libsodium's fastest code for this processor; without it everything works, several times slower.
void PrepareLibrary() {
  if (sodium_init() < 0) std::abort();  // no source of randomness on this machine: there is nothing safe to do
}

}  // namespace

Keys::~Keys() {
  sodium_memzero(lookup_key_.data(), lookup_key_.size());
  sodium_memzero(disk_key_.data(), disk_key_.size());
  for (MasterKey& master : master_keys_) sodium_memzero(master.key.data(), master.key.size());
  sodium_memzero(token_key_.data(), token_key_.size());
}

Keys Keys::Generate(Random& random) {
  PrepareLibrary();
  Keys keys;
  random.Fill(keys.lookup_key_.data(), keys.lookup_key_.size());
  random.Fill(keys.disk_key_.data(), keys.disk_key_.size());
  keys.master_keys_.push_back({1, {}});
  random.Fill(keys.master_keys_.front().key.data(), keys.master_keys_.front().key.size());
  random.Fill(keys.token_key_.data(), keys.token_key_.size());
  return keys;
}

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
  if (!TakeKey("lookup", &rest, &keys.lookup_key_) || !TakeKey("disk", &rest, &keys.disk_key_) ||
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
  AppendKey("lookup", lookup_key_, &secret.text);
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

DiskKey Keys::DiskKeyFor(SubjectHandle subject) const {
  return DiskKey{KeyedHash<Bytes16>(disk_key_, View(subject.bytes), {})};
}

Bytes16 Keys::DiskHash(std::string_view label, std::string_view bytes) const {
  std::string labelled(label);
  labelled.push_back('\0');
  return KeyedHash<Bytes16>(disk_key_, labelled, bytes);
}

const Keys::MasterKey* Keys::FindMasterKey(uint16_t number) const {
  const auto at = std::find_if(master_keys_.begin(), master_keys_.end(),
                               [number](const MasterKey& master) { return master.number == number; });
  return at == master_keys_.end() ? nullptr : &*at;
}

std::string Keys::WrapShare(SubjectHandle subject, std::string_view secret, const MasterKey& under) {
  std::string share;
  Encoder out(&share);
  out.BigEndian(under.number, 2);
  out.Raw(WrapKey(KeyedHash<Digest>(under.key, kWrapLabel, View(subject.bytes)), secret));
  return share;
}

absl::StatusOr<std::string> Keys::UnwrapShare(SubjectHandle subject, std::string_view share) const {
  if (share.size() != kShareBytes) return DamagedShare();
  const uint16_t number = MasterNumberOf(share);
  const MasterKey* under = FindMasterKey(number);
  if (under == nullptr) return UnknownMaster(number);
  std::optional<std::string> secret =
      UnwrapKey(KeyedHash<Digest>(under->key, kWrapLabel, View(subject.bytes)), share.substr(2));
  if (!secret.has_value()) return DamagedShare();
  return *std::move(secret);
}

PayloadKey Keys::NewPayloadKey(SubjectHandle subject, Random& random) const {
  SecretText secret{std::string(kSecretBytes, '\0')};
  random.Fill(secret.text.data(), secret.text.size());
  return PayloadKey{Blake2b(secret.text), WrapShare(subject, secret.text, master_keys_.back())};
}

absl::StatusOr<Digest> Keys::OpenShare(SubjectHandle subject, std::string_view share) const {
  absl::StatusOr<std::string> unwrapped = UnwrapShare(subject, share);
  if (!unwrapped.ok()) return unwrapped.status();
  const SecretText secret{*std::move(unwrapped)};
  return Blake2b(secret.text);
}

absl::StatusOr<std::string> Keys::Rewrap(SubjectHandle subject, std::string_view share) const {
  absl::StatusOr<std::string> unwrapped = UnwrapShare(subject, share);
  if (!unwrapped.ok()) return unwrapped.status();
  const SecretText secret{*std::move(unwrapped)};
  return WrapShare(subject, secret.text, master_keys_.back());
}

absl::StatusOr<Keys> Keys::WithNewMasterKey(Random& random) const {
  const uint16_t newest = master_keys_.back().number;
  if (master_keys_.size() >= kMaxMasterKeys || newest == UINT16_MAX) {
    return absl::ResourceExhaustedError("a key file holds at most " + std::to_string(kMaxMasterKeys) + " master keys");
  }
  Keys keys = *this;
  keys.master_keys_.push_back({static_cast<uint16_t>(newest + 1), {}});
  random.Fill(keys.master_keys_.back().key.data(), keys.master_keys_.back().key.size());
  return keys;
}

absl::StatusOr<Keys> Keys::WithoutMasterKey(uint16_t number) const {
  if (FindMasterKey(number) == nullptr) {
    return absl::NotFoundError("the key file has no master key " + std::to_string(number));
  }
  if (number == newest_master()) {
    return absl::FailedPreconditionError("master key " + std::to_string(number) +
                                         " is the newest, under which new keys are wrapped: add another one first");
  }
  Keys keys = *this;
  std::erase_if(keys.master_keys_, [number](const MasterKey& master) { return master.number == number; });
  return keys;
}

std::vector<uint16_t> Keys::master_numbers() const {
  std::vector<uint16_t> numbers;
  numbers.reserve(master_keys_.size());
  for (const MasterKey& master : master_keys_) numbers.push_back(master.number);
  return numbers;
}

absl::StatusOr<MasterCheck> Keys::MasterCheckOf(uint16_t number) const {
  const MasterKey* const master = FindMasterKey(number);
  if (master == nullptr) return absl::NotFoundError("the key file has no master key " + std::to_string(number));
  const Digest hash = KeyedHash<Digest>(master->key, kCheckOfMaster, {});
  MasterCheck check{};
  std::copy_n(hash.begin(), check.size(), check.begin());
  return check;
}

uint16_t MasterNumberOf(std::string_view share) {
  return share.size() == kShareBytes ? static_cast<uint16_t>(Decoder(share).BigEndian(2)) : uint16_t{0};
}

uint32_t Keys::TokenTag(std::string_view bytes) const {
  const Digest hash = KeyedHash<Digest>(token_key_, bytes, {});
  return static_cast<uint32_t>(Decoder(View(hash)).BigEndian(4));
}

Bytes16 Keys::Fingerprint() const {
  SecretText all;
  all.text.reserve(256);
  Encoder encoder(&all.text);
  encoder.Raw("consentd key fingerprint 2");
  encoder.Raw(View(lookup_key_));
  encoder.Raw(View(disk_key_));
  encoder.Raw(View(token_key_));
  const Digest hash = Blake2b(all.text);
  Bytes16 fingerprint{};
  std::memcpy(fingerprint.data(), hash.data(), fingerprint.size());
  return fingerprint;
}

}  // namespace consent::base
