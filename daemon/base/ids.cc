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

}  // namespace

IdHasher::IdHasher(const Bytes16& k1)
    : subject_key_(KeyFor(k1, "subject")),
      profile_key_(KeyFor(k1, "profile")),
      device_key_(KeyFor(k1, "device")),
      guardian_key_(KeyFor(k1, "guardian")),
      recording_key_(KeyFor(k1, "recording")) {}

SubjectHandle IdHasher::Subject(std::string_view id) const { return {SipHash128(subject_key_, id)}; }
ProfileHandle IdHasher::Profile(std::string_view id) const { return {SipHash128(profile_key_, id)}; }
DeviceHandle IdHasher::Device(std::string_view id) const { return {SipHash128(device_key_, id)}; }
GuardianHandle IdHasher::Guardian(std::string_view id) const { return {SipHash128(guardian_key_, id)}; }
RecordingHandle IdHasher::Recording(std::string_view id) const { return {SipHash128(recording_key_, id)}; }

void IdHasher::SubjectAndProfile(std::string_view account_id, std::string_view profile_id, SubjectHandle* subject,
                                 ProfileHandle* profile) const {
  SipHash128({subject_key_, account_id, &subject->bytes}, {profile_key_, profile_id, &profile->bytes});
}

}  // namespace consent::base
