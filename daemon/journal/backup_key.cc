#include "daemon/journal/backup_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/base/base64.h"
#include "daemon/base/bounds.h"
#include "daemon/base/file.h"
#include "daemon/journal/entry.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::journal {
namespace {

constexpr std::string_view kPublicWord = "consentd-backup-public-key ";
constexpr std::string_view kSecretWord = "consentd-backup-secret-key ";
constexpr size_t kMaxFileBytes = 256;
constexpr uint8_t kIdsFormat = 1;

std::string LineOf(std::string_view word, const base::Digest& key) {
  return std::string(word) + base::EncodeBase64Url(base::View(key));
}

absl::StatusOr<base::Digest> ReadLine(int fd, std::string_view name, std::string_view word, const std::string& path) {
  absl::StatusOr<std::string> text = base::ReadBounded(fd, name, path, kMaxFileBytes);
  if (!text.ok()) return text.status();
  std::string_view line = *text;
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::optional<std::string> bytes =
      line.starts_with(word) ? base::DecodeBase64Url(line.substr(word.size()), sizeof(base::Digest)) : std::nullopt;
  base::Digest key{};
  if (bytes.has_value()) std::copy(bytes->begin(), bytes->end(), key.begin());
  sodium_memzero(text->data(), text->size());
  if (!bytes.has_value()) {
    return absl::DataLossError(absl::StrCat("the file ", path, " is no ", std::string(name),
                                            ": it has one line, which `consentd keys backup-pair` wrote"));
  }
  return key;
}

}  // namespace

absl::StatusOr<BackupPublicKey> BackupPublicKey::Load(const std::string& path) {
  constexpr std::string_view kName = "public key of backups";
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular(kName, path, base::Links::kFollow);
  if (!file.ok()) return file.status();
  // Who can put another key here reads the ids of all that is deleted from then on.
  if (absl::Status s = base::CheckNotOpenToAll(file->fd(), kName, path); !s.ok()) return s;
  const absl::StatusOr<base::Digest> key = ReadLine(file->fd(), kName, kPublicWord, path);
  if (!key.ok()) return key.status();
  const base::BoxPublicKey box(*key);
  if (!box.CanSeal()) {
    return absl::DataLossError(absl::StrCat("the file ", path, " has a public key of backups that nobody can seal to: ",
                                            "make another pair with `consentd keys backup-pair`"));
  }
  return BackupPublicKey(box);
}

base::Bytes16 BackupPublicKey::Fingerprint() const {
  base::Bytes16 out{};
  crypto_generichash(out.data(), out.size(), key_.bytes().data(), key_.bytes().size(), nullptr, 0);
  return out;
}

std::string BackupPublicKey::Seal(const SealedIds& ids, base::Random& random) const {
  std::string plain;
  base::Encoder out(&plain);
  out.Byte(kIdsFormat);
  out.String(ids.account_id);
  out.String(ids.selector);
  std::string sealed = key_.Seal(plain, random);
  sodium_memzero(plain.data(), plain.size());
  return sealed;
}

BackupSecretKey BackupSecretKey::Generate(base::Random& random) {
  base::Digest key{};
  random.Fill(key.data(), key.size());
  return BackupSecretKey(key);
}

absl::StatusOr<BackupSecretKey> BackupSecretKey::Load(const std::string& path) {
  constexpr std::string_view kName = "secret key of backups";
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular(kName, path, base::Links::kFollow);
  if (!file.ok()) return file.status();
  if (absl::Status s = base::CheckPrivate(file->fd(), kName, path); !s.ok()) return s;
  const absl::StatusOr<base::Digest> key = ReadLine(file->fd(), kName, kSecretWord, path);
  return key.ok() ? absl::StatusOr<BackupSecretKey>(BackupSecretKey(*key)) : key.status();
}

absl::Status BackupSecretKey::Save(const std::string& path) const {
  const auto failed = [&] {
    return base::FileError(absl::StrCat("the secret key of backups: cannot write ", path), errno);
  };
  const base::FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.ok()) return failed();
  std::string line = LineOf(kSecretWord, key_.bytes()) + '\n';
  const ssize_t written = write(file.fd(), line.data(), line.size());
  sodium_memzero(line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size()) || fsync(file.fd()) != 0) {
    absl::Status status = failed();
    unlink(path.c_str());
    return status;
  }
  return absl::OkStatus();
}

BackupPublicKey BackupSecretKey::Public() const { return BackupPublicKey(key_.Public()); }

std::string BackupSecretKey::PublicLine() const { return LineOf(kPublicWord, key_.Public().bytes()); }

absl::StatusOr<SealedIds> BackupSecretKey::Open(std::string_view sealed) const {
  std::optional<std::string> opened;
  if (sealed.size() <= kMaxSealedBytes) opened = key_.Open(sealed);
  std::string plain = std::move(opened).value_or("");
  base::Decoder in(plain);
  SealedIds ids;
  if (in.Byte() != kIdsFormat) in.Fail();
  ids.account_id = in.String(base::kMaxIdBytes);
  ids.selector = in.String(service::kMaxDeletionPayloadBytes);
  const bool is_whole = in.Done();
  sodium_memzero(plain.data(), plain.size());
  if (is_whole) return ids;
  return absl::DataLossError("sealed ids cannot be opened: they are sealed to another key, or damaged");
}

}  // namespace consent::journal
