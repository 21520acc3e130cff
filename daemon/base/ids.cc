#include "daemon/base/ids.h"

#include <sodium.h>

#include "daemon/base/sip_hash.h"

namespace consent::base {
namespace {

Bytes16 KeyFor(const Bytes16& k1, std::string_view kind) {
  Bytes16 key{};
  crypto_generichash(key.data(), key.size(), reinterpret_cast<const unsigned char*>(kind.data()), kind.size(),
                     k1.data(), k1.size());
  return key;
}

// The bits of `below` in the place of its own.
void KeepPartition(const Bytes16& below, Bytes16* bytes) {
  constexpr uint16_t kMask = (1U << kPartitionBits) - 1;
  const auto last = [](const Bytes16& of) { return static_cast<uint16_t>(of[14] << 8 | of[15]); };
  const auto kept = static_cast<uint16_t>((last(*bytes) & ~kMask) | (last(below) & kMask));
  (*bytes)[14] = static_cast<uint8_t>(kept >> 8);
  (*bytes)[15] = static_cast<uint8_t>(kept);
}

template <typename H>
H Hashed(const Bytes16& key, const H& below) {
  return below.IsSet() ? H{SipHash128(key, View(below.bytes))} : below;
}

}  // namespace

HandleLayer::HandleLayer(const Bytes16& key)
    : subject_key_(KeyFor(key, "subject")),
      profile_key_(KeyFor(key, "profile")),
      device_key_(KeyFor(key, "device")),
      guardian_key_(KeyFor(key, "guardian")),
      recording_key_(KeyFor(key, "recording")) {}

SubjectHandle HandleLayer::Over(const SubjectHandle& below) const {
  SubjectHandle handle = Hashed(subject_key_, below);
  KeepPartition(below.bytes, &handle.bytes);
  return handle;
}
ProfileHandle HandleLayer::Over(const ProfileHandle& below) const { return Hashed(profile_key_, below); }
DeviceHandle HandleLayer::Over(const DeviceHandle& below) const { return Hashed(device_key_, below); }
GuardianHandle HandleLayer::Over(const GuardianHandle& below) const { return Hashed(guardian_key_, below); }
RecordingHandle HandleLayer::Over(const RecordingHandle& below) const { return Hashed(recording_key_, below); }

IdHasher::IdHasher(const Bytes16& k1, const std::vector<HandleLayer>& layers)
    : subject_key_(KeyFor(k1, "subject")),
      profile_key_(KeyFor(k1, "profile")),
      device_key_(KeyFor(k1, "device")),
      guardian_key_(KeyFor(k1, "guardian")),
      recording_key_(KeyFor(k1, "recording")),
      layers_(layers) {}

SubjectHandle IdHasher::Subject(std::string_view id) const {
  return Layered(SubjectHandle{SipHash128(subject_key_, id)});
}
ProfileHandle IdHasher::Profile(std::string_view id) const {
  return Layered(ProfileHandle{SipHash128(profile_key_, id)});
}
DeviceHandle IdHasher::Device(std::string_view id) const { return Layered(DeviceHandle{SipHash128(device_key_, id)}); }
GuardianHandle IdHasher::Guardian(std::string_view id) const {
  return Layered(GuardianHandle{SipHash128(guardian_key_, id)});
}
RecordingHandle IdHasher::Recording(std::string_view id) const {
  return Layered(RecordingHandle{SipHash128(recording_key_, id)});
}

void IdHasher::SubjectAndProfile(std::string_view account_id, std::string_view profile_id, SubjectHandle* subject,
                                 ProfileHandle* profile) const {
  SipHash128({subject_key_, account_id, &subject->bytes}, {profile_key_, profile_id, &profile->bytes});
  if (layers_.empty()) return;
  *subject = Layered(*subject);
  *profile = Layered(*profile);
}

}  // namespace consent::base
