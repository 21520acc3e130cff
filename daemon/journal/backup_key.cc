#include "daemon/journal/backup_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "daemon/base/base64.h"
#include "daemon/base/bounds.h"
#include "daemon/base/file.h"
#include "daemon/journal/entry.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::journal {
namespace {

static_assert(crypto_box_PUBLICKEYBYTES == sizeof(base::Digest) && crypto_box_SECRETKEYBYTES == sizeof(base::Digest));

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
  return key.ok() ? absl::StatusOr<BackupPublicKey>(BackupPublicKey(*key)) : key.status();
}

base::Bytes16 BackupPublicKey::Fingerprint() const {
  base::Bytes16 out{};
  crypto_generichash(out.data(), out.size(), key_.data(), key_.size(), nullptr, 0);
  return out;
}

// As crypto_box_seal does it, but with an ephemeral pair from our own source of randomness.
std::string BackupPublicKey::Seal(const SealedIds& ids, base::Random& random) const {
  std::string plain;
  base::Encoder out(&plain);
  out.Byte(kIdsFormat);
  out.String(ids.account_id);
  out.String(ids.selector);
  base::Digest seed{};
  random.Fill(seed.data(), seed.size());
  base::Digest ephemeral{};
  base::Digest secret{};
  crypto_box_seed_keypair(ephemeral.data(), secret.data(), seed.data());
  std::array<uint8_t, crypto_box_NONCEBYTES> nonce{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, nonce.size());
  crypto_generichash_update(&state, ephemeral.data(), ephemeral.size());
  crypto_generichash_update(&state, key_.data(), key_.size());
  crypto_generichash_final(&state, nonce.data(), nonce.size());
  std::string sealed(base::View(ephemeral));
  sealed.resize(ephemeral.size() + crypto_box_MACBYTES + plain.size());
  // An error would be a public key of low order: then nobody can open it, which is what a wrong key comes to.
  if (crypto_box_easy(reinterpret_cast<unsigned char*>(sealed.data()) + ephemeral.size(), base::Unsigned(plain),
                      plain.size(), nonce.data(), key_.data(), secret.data()) != 0) {
    sealed.clear();
  }
  sodium_memzero(secret.data(), secret.size());
  sodium_memzero(seed.data(), seed.size());
  sodium_memzero(plain.data(), plain.size());
  return sealed;
}

BackupSecretKey::~BackupSecretKey() { sodium_memzero(key_.data(), key_.size()); }

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
  std::string line = LineOf(kSecretWord, key_) + '\n';
  const ssize_t written = write(file.fd(), line.data(), line.size());
  sodium_memzero(line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size()) || fsync(file.fd()) != 0) {
    absl::Status status = failed();
    unlink(path.c_str());
    return status;
  }
  return absl::OkStatus();
}

BackupPublicKey BackupSecretKey::Public() const {
  base::Digest key{};
  crypto_scalarmult_base(key.data(), key_.data());
  return BackupPublicKey(key);
}

std::string BackupSecretKey::PublicLine() const { return LineOf(kPublicWord, Public().key_); }

absl::StatusOr<SealedIds> BackupSecretKey::Open(std::string_view sealed) const {
  const base::Digest its_public = Public().key_;
  std::string plain(sealed.size() < crypto_box_SEALBYTES ? 0 : sealed.size() - crypto_box_SEALBYTES, '\0');
  const bool opened = sealed.size() >= crypto_box_SEALBYTES && sealed.size() <= kMaxSealedBytes &&
                      crypto_box_seal_open(reinterpret_cast<unsigned char*>(plain.data()), base::Unsigned(sealed),
                                           sealed.size(), its_public.data(), key_.data()) == 0;
  base::Decoder in(plain);
  SealedIds ids;
  if (in.Byte() != kIdsFormat) in.Fail();
  ids.account_id = in.String(base::kMaxIdBytes);
  ids.selector = in.String(service::kMaxDeletionPayloadBytes);
  const bool is_whole = opened && in.Done();
  sodium_memzero(plain.data(), plain.size());
  if (is_whole) return ids;
  return absl::DataLossError("sealed ids cannot be opened: they are sealed to another key, or damaged");
}

}  // namespace consent::journal
