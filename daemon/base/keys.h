// The daemon's secrets: made once, kept in one file of mode 0600, never printed.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/base/ids.h"
#include "daemon/base/random.h"

namespace consent::base {

inline constexpr size_t kMaxMasterKeys = 16;
inline constexpr size_t kMaxLookupKeys = 8;
inline constexpr size_t kShareBytes = 2 + 16 + 8;

using MasterCheck = std::array<uint8_t, 8>;

// The number of the master key under which a share lies; 0: it is none.
uint16_t MasterNumberOf(std::string_view share);

struct PayloadKey {
  Digest key{};
  std::string share;  // kShareBytes
};

// Immutable after load; thread-safe. Copies wipe their bytes when they go.
class Keys {
 public:
  Keys(const Keys&) = default;
  Keys& operator=(const Keys&) = default;
  ~Keys();

  // Fresh keys: lookup, disk, first master and token key are drawn in this order.
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
  // Puts what `change` makes of the file's keys in its place: whole beside it, synced, renamed. At every moment the
  // path has the keys of before or those of after. One at a time, further processes wait. `change`'s error, or as Load
  // and Save say; nothing has changed then.
  static absl::Status Change(const std::string& path,
                             const std::function<absl::StatusOr<Keys>(const Keys& keys)>& change);

  // Of the handles that these keys make: of ids under the first lookup key, and a layer over them for each further one.
  IdHasher Hasher() const;
  // What a copy of the store has instead (service/rekey): the lookup keys of these with one more, whose layer over the
  // handles only the new file can make; all others are drawn anew: disk, first master and token key. At most
  // kMaxLookupKeys: ResourceExhausted.
  absl::StatusOr<Keys> Renewed(Random& random) const;
  // Of keys that Renewed made of `before`: the layer over its handles. FailedPrecondition: they are none such.
  absl::StatusOr<HandleLayer> LayerOver(const Keys& before) const;
  // Disk position of a subject's rows: BLAKE2b-128(k2, handle).
  DiskKey DiskKeyFor(SubjectHandle subject) const;
  // Disk position of any other row that an id leads to: BLAKE2b-128(k2, label ‖ 0 ‖ bytes).
  Bytes16 DiskHash(std::string_view label, std::string_view bytes) const;
  // A new payload key. What is stored of it is its share: the number of the newest master key (2) and 16 random bytes
  // wrapped under BLAKE2b-256(master key, "wrap" ‖ 0 ‖ handle); the payload key is BLAKE2b-256 of those, keyed. Whoever
  // destroys the share destroys what was sealed under the key; a master key alone opens nothing.
  PayloadKey NewPayloadKey(SubjectHandle subject, Random& random) const;
  // DataLoss: not a share of this subject, damaged, or under a master key that the file does not have; the text says
  // which.
  absl::StatusOr<Digest> OpenShare(SubjectHandle subject, std::string_view share) const;
  // The same payload key under the newest master key: all that a rotation has to write. DataLoss as OpenShare.
  absl::StatusOr<std::string> Rewrap(SubjectHandle subject, std::string_view share) const;
  // Another payload key, wrapped by other keys for what has another handle there: the same one each time for the same
  // share and `renewal`, 32 random bytes that nobody keeps, so that who knows the payload key of before does not know
  // it. DataLoss as OpenShare.
  absl::StatusOr<PayloadKey> Renew(SubjectHandle subject, std::string_view share, const Digest& renewal,
                                   const Keys& other, SubjectHandle there) const;
  // With one master key more, which is the newest from then on. At most kMaxMasterKeys: ResourceExhausted.
  absl::StatusOr<Keys> WithNewMasterKey(Random& random) const;
  // Without one. NotFound: there is none of that number; FailedPrecondition: it is the newest.
  absl::StatusOr<Keys> WithoutMasterKey(uint16_t number) const;
  // Numbers of the master keys, ascending; at least one.
  std::vector<uint16_t> master_numbers() const;
  uint16_t newest_master() const { return master_keys_.back().number; }
  // Tells one master key from another of the same number, and nothing of either: first 8 bytes of BLAKE2b keyed with
  // it. NotFound: there is none of that number.
  absl::StatusOr<MasterCheck> MasterCheckOf(uint16_t number) const;
  // Tag that makes tokens of this store recognisable: first 4 bytes of BLAKE2b(k4, bytes).
  uint32_t TokenTag(std::string_view bytes) const;
  // Identifies the key file in the store's metadata without revealing it: BLAKE2b-128 over the keys that stay for the
  // store's life, so that a rotation of the master key leaves it as it is.
  Bytes16 Fingerprint() const;

 private:
  Keys() = default;
  // One more lookup key, and all others.
  void Draw(Random& random);
  // Of the open file `fd`, which has been judged.
  static absl::StatusOr<Keys> Read(int fd, const std::string& path);
  // Into the open file `fd`, synced.
  absl::Status WriteUnfinished(int fd, const std::string& path) const;
  std::vector<Bytes16> lookup_keys_;  // 1..kMaxLookupKeys, the lowest layer first
  Digest disk_key_{};
  struct MasterKey {
    uint16_t number = 0;
    Digest key{};
  };
  const MasterKey* FindMasterKey(uint16_t number) const;
  absl::StatusOr<std::string> UnwrapShare(SubjectHandle subject, std::string_view share) const;
  static std::string WrapShare(SubjectHandle subject, std::string_view secret, const MasterKey& under);
  std::vector<MasterKey> master_keys_;  // 1..kMaxMasterKeys, by number; the last is the newest
  Digest token_key_{};
};

}  // namespace consent::base
