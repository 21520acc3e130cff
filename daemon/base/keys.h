// The daemon's secrets: made once, kept in one file of mode 0600, never printed.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/ids.h"
#include "daemon/base/random.h"

namespace consent::base {

// Immutable after load; thread-safe. Copies wipe their bytes when they go.
class Keys {
 public:
  Keys(const Keys&) = default;
  Keys& operator=(const Keys&) = default;
  ~Keys();

  // Fresh keys: lookup, disk, payload and token key are drawn in this order.
  static Keys Generate(Random& random);
  // Reads `path`. FailedPrecondition: readable or writable by group or others, or not a regular file of ours;
  // NotFound: there is none; DataLoss: not a key file or damaged.
  static absl::StatusOr<Keys> Load(const std::string& path);
  // The same of a file that a service manager made for this service: it may also be root's and open to root's group,
  // which is how the access list shows by which systemd lets the service's user read it (systemd.exec(5),
  // "Credentials"; acl(5)). Its folder has to be as closed. Nobody but its owner may be able to write either.
  static absl::StatusOr<Keys> LoadCredential(const std::string& path);
  // Writes a new file of mode 0600 and syncs it and its folder. AlreadyExists: never overwrites.
  absl::Status Save(const std::string& path) const;

  // k1: lookup handles.
  const Bytes16& lookup_key() const { return lookup_key_; }
  // Disk position of a subject's rows: BLAKE2b-128(k2, handle).
  DiskKey DiskKeyFor(SubjectHandle subject) const;
  // Disk position of any other row that an id leads to: BLAKE2b-128(k2, label ‖ 0 ‖ bytes).
  Bytes16 DiskHash(std::string_view label, std::string_view bytes) const;
  // Key for sealing a subject's payload: BLAKE2b-256(k3, share ‖ handle). The share is random, stored in a row of its
  // own and destroyed to make the payload unreadable; k3 alone opens nothing.
  Digest PayloadKey(SubjectHandle subject, std::string_view share) const;
  // Tag that makes tokens of this store recognisable: first 4 bytes of BLAKE2b(k4, bytes).
  uint32_t TokenTag(std::string_view bytes) const;
  // Identifies the key file in the store's metadata without revealing it: BLAKE2b-128 over all keys.
  Bytes16 Fingerprint() const;

 private:
  Keys() = default;
  // Of the open file `fd`, which has been judged.
  static absl::StatusOr<Keys> Read(int fd, const std::string& path);
  Bytes16 lookup_key_{};
  Digest disk_key_{};
  Digest payload_key_{};
  Digest token_key_{};
};

}  // namespace consent::base
