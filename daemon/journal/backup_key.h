// The pair of keys of backups: ids that workers will need after a restore are sealed to its public half; the secret
// half stays offline, and opens them once they are needed.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/random.h"
#include "daemon/base/sealed_box.h"

namespace consent::journal {

// What is sealed of a deletion request or a hold: what service::DeletionPayload has.
struct SealedIds {
  std::string account_id;
  std::string selector;  // a serialised consent.v1.DeletionSelector, at most service::kMaxDeletionPayloadBytes
  bool operator==(const SealedIds&) const = default;
};

// Immutable; thread-safe.
class BackupPublicKey {
 public:
  // Reads one line, "consentd-backup-public-key <base64url of 32 bytes>". Anybody may read the file. NotFound: there
  // is none; DataLoss: it is no such file, or a key that nobody can seal to; FailedPrecondition: others may write it.
  // Else as base::FileError.
  static absl::StatusOr<BackupPublicKey> Load(const std::string& path);
  // Names the key without being it: BLAKE2b-128 of it.
  base::Bytes16 Fingerprint() const;
  // The ids in a sealed box: only the secret half opens it. Thread-safe if `random` is.
  std::string Seal(const SealedIds& ids, base::Random& random) const;

 private:
  friend class BackupSecretKey;
  explicit BackupPublicKey(const base::BoxPublicKey& key) : key_(key) {}
  base::BoxPublicKey key_;
};

// Immutable; thread-safe. Copies wipe their bytes when they go.
class BackupSecretKey {
 public:
  static BackupSecretKey Generate(base::Random& random);
  // Reads one line, "consentd-backup-secret-key <base64url of 32 bytes>". FailedPrecondition: anybody but its owner may
  // read or write it; else as of the public half.
  static absl::StatusOr<BackupSecretKey> Load(const std::string& path);
  // Writes a new file of mode 0600 and syncs it. AlreadyExists: never overwrites.
  absl::Status Save(const std::string& path) const;
  BackupPublicKey Public() const;
  // The line that a file of the public half has, without an end of line.
  std::string PublicLine() const;
  // DataLoss: not sealed to this key, or damaged.
  absl::StatusOr<SealedIds> Open(std::string_view sealed) const;

 private:
  explicit BackupSecretKey(const base::Digest& key) : key_(key) {}
  base::BoxSecretKey key_;
};

}  // namespace consent::journal
