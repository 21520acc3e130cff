// Ids as callers write them, and the keyed hashes that stand for them everywhere else.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/bytes.h"

namespace consent::base {

// The longest id in bytes, the ids that the daemon gives to requests, holds and tasks included. Ids are opaque UTF-8, 1
// to 128 bytes, compared byte by byte, never normalised.
inline constexpr size_t kMaxIdBytes = 128;

// A 128-bit keyed hash of an id. The Tag keeps accounts, profiles, devices, guardians and recordings apart at compile
// time, and the hasher keeps them apart by key. All zero means "none".
template <typename Tag>
struct Handle {
  Bytes16 bytes{};
  auto operator<=>(const Handle&) const = default;
  // Two words instead of a call of memcmp: it is asked several times in each decision.
  bool operator==(const Handle& other) const { return Word(0) == other.Word(0) && Word(8) == other.Word(8); }
  bool IsSet() const { return *this != Handle{}; }
  // The first eight bytes, uniformly distributed.
  uint64_t Hash() const { return Word(0); }

 private:
  uint64_t Word(size_t from) const {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + from, sizeof word);
    return word;
  }
};

using SubjectHandle = Handle<struct SubjectTag>;
using ProfileHandle = Handle<struct ProfileTag>;
using DeviceHandle = Handle<struct DeviceTag>;
using GuardianHandle = Handle<struct GuardianTag>;
using RecordingHandle = Handle<struct RecordingTag>;

// Where a subject's rows lie on disk: BLAKE2b(k2, handle). Never leaves the daemon.
struct DiskKey {
  Bytes16 bytes{};
  auto operator<=>(const DiskKey&) const = default;
};

// Which low bits of a subject's last two bytes, big-endian, choose its partition: a HandleLayer leaves them as they
// are.
inline constexpr int kPartitionBits = 10;

// Handles over handles: what lies under keys of before gets other handles without its ids. Each is SipHash-2-4-128 of
// the handle below, under one key per kind of id; none stays none. Immutable; thread-safe.
class HandleLayer {
 public:
  explicit HandleLayer(const Bytes16& key);
  // Keeps the kPartitionBits of the handle below, so that what names a partition stays true.
  SubjectHandle Over(const SubjectHandle& below) const;
  ProfileHandle Over(const ProfileHandle& below) const;
  DeviceHandle Over(const DeviceHandle& below) const;
  GuardianHandle Over(const GuardianHandle& below) const;
  RecordingHandle Over(const RecordingHandle& below) const;

 private:
  Bytes16 subject_key_, profile_key_, device_key_, guardian_key_, recording_key_;
};

// SipHash-2-4-128 under one key per kind of id (Aumasson and Bernstein, 2012), and each of the layers over it, the
// lowest first. Immutable; thread-safe. The keys may be shared with local gates.
class IdHasher {
 public:
  explicit IdHasher(const Bytes16& k1, const std::vector<HandleLayer>& layers = {});
  SubjectHandle Subject(std::string_view account_id) const;
  ProfileHandle Profile(std::string_view profile_id) const;
  DeviceHandle Device(std::string_view device_id) const;
  GuardianHandle Guardian(std::string_view guardian_id) const;
  RecordingHandle Recording(std::string_view recording_id) const;
  // Both at once, in less than the time of both.
  void SubjectAndProfile(std::string_view account_id, std::string_view profile_id, SubjectHandle* subject,
                         ProfileHandle* profile) const;

 private:
  template <typename H>
  H Layered(H handle) const {
    for (const HandleLayer& layer : layers_) handle = layer.Over(handle);
    return handle;
  }
  Bytes16 subject_key_, profile_key_, device_key_, guardian_key_, recording_key_;
  std::vector<HandleLayer> layers_;
};

}  // namespace consent::base
