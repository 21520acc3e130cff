#include "daemon/base/ids.h"

#include <sodium.h>

namespace consent::base {
namespace {

static_assert(crypto_shorthash_siphashx24_BYTES == 16);
static_assert(crypto_shorthash_siphashx24_KEYBYTES == 16);

Bytes16 KeyFor(const Bytes16& k1, std::string_view kind) {
  Bytes16 key{};
  crypto_generichash(key.data(), key.size(), reinterpret_cast<const unsigned char*>(kind.data()), kind.size(),
                     k1.data(), k1.size());
  return key;
}

template <typename H>
H HashId(const Bytes16& key, std::string_view id) {
  H handle;
  crypto_shorthash_siphashx24(handle.bytes.data(), reinterpret_cast<const unsigned char*>(id.data()), id.size(),
                              key.data());
  return handle;
}

}  // namespace

IdHasher::IdHasher(const Bytes16& k1)
    : subject_key_(KeyFor(k1, "subject")),
      profile_key_(KeyFor(k1, "profile")),
      device_key_(KeyFor(k1, "device")),
      guardian_key_(KeyFor(k1, "guardian")),
      recording_key_(KeyFor(k1, "recording")) {}

SubjectHandle IdHasher::Subject(std::string_view id) const { return HashId<SubjectHandle>(subject_key_, id); }
ProfileHandle IdHasher::Profile(std::string_view id) const { return HashId<ProfileHandle>(profile_key_, id); }
DeviceHandle IdHasher::Device(std::string_view id) const { return HashId<DeviceHandle>(device_key_, id); }
GuardianHandle IdHasher::Guardian(std::string_view id) const { return HashId<GuardianHandle>(guardian_key_, id); }
RecordingHandle IdHasher::Recording(std::string_view id) const { return HashId<RecordingHandle>(recording_key_, id); }

}  // namespace consent::base
